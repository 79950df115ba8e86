"""A hub in the services' place: the same classes, HTTP behind them, by the standard library alone."""
