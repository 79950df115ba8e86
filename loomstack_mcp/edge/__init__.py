"""Where a worktree is seen: its identity, its rules, the final judgement."""
