"""Policy: rules, the facts they are held against, and the decision; pure."""
