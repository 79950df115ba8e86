"""The dashboard in a real browser: for those who have one, and never in `.ci/run`."""
