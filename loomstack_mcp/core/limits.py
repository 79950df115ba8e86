"""Every limit of what a caller may ask, in one place and by name; those of requests over HTTP are the hub's."""

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

PATTERN_CHARS_MAX = 500
PATTERN_BRACES_MAX = 64
"""Alternatives one pattern may expand to with `{a,b}`."""
SPELLED_CHARS_MAX = 8 * PATTERN_CHARS_MAX
"""Characters of all these alternatives together."""
RANGE_CHARS_MAX = 256
"""Characters that one range of a set, like `[a-z]`, may span."""
PATHS_MAX = 100
"""Patterns in one call; each alternative in braces counts as one."""
TEXT_CHARS_MAX = 2_000
SENTENCE_CHARS_MAX = 500
"""A goal or an intent, which others read in refusals and briefings."""
NAME_CHARS_MAX = 200
ENVIRONMENT_CHARS_MAX = 100
COUNT_MAX = 1_000_000_000
"""Checks that passed, or failed, in one outcome."""
LIST_MAX = 100
"""Commits, failing checks or links in one outcome."""
EXPIRES_HOURS_MAX = 24 * 366
EXPIRES_DAYS_MAX = 366
TOKEN_DEFAULT_MS = 90 * DAY_MS

LEASE_DEFAULT_MS = 30 * MINUTE_MS
LEASE_MINUTES_MAX = 24 * 60
AUTO_LEASE_MS = 10 * MINUTE_MS
"""How long a file stays held after an edit of it that nobody claimed it for."""
AUTO_HELD_MAX = 50
"""Files of one edit that are held in one transaction, so that nobody waits long at the gate."""
HELD_AT_ONCE_MAX = 5_000
"""Files of one edit that are held; of more none is, and nobody waits minutes."""
CALLED_PATHS_MAX = 50_000
"""Paths of one call over a hub; whoever has more of them asks several times."""
LEASE_AFTER_EOF_MS = 5 * MINUTE_MS
LEASE_AFTER_GONE_MS = MINUTE_MS
"""What the lease of a run has left once somebody who is blocked by it sees that its session's process is gone."""
LOST_AFTER_SILENT_MS = 60 * MINUTE_MS
OTHER_BOOT_MARGIN_MS = 2 * MINUTE_MS
"""A lease that another kernel wrote counts this much longer, since the clocks of two machines differ."""

WAIT_SECONDS_MAX = 45
EOF_ANSWER_SECONDS_MAX = 10
"""What a client asked before it closed the pipe has this long for its answer."""
WAITER_GRACE_MS = 60 * SECOND_MS
"""A waiter keeps its place this long after its wait, so that it can call again."""

OPEN_QUESTION_MS_MAX = 20 * SECOND_MS
"""So long a hub leaves a question open: proxies end what is not answered within 30 s."""

BLOCKERS_MAX = 20
CANDIDATES_MAX = 3_000
"""Held patterns that one request is compared with; a wider request is refused, not answered late."""

ALERTS_MAX = 5
ALERT_DELIVERIES = 2

BUDGET_TOKENS_MIN = 50
BUDGET_TOKENS_DEFAULT = 800
BUDGET_TOKENS_MAX = 20_000
OPENING_TOKENS_MAX = 120
"""What a session is told at its start, whatever happened."""
CHARS_PER_TOKEN = 4

WINDOW_DAYS = 30
"""How long what landed is remembered, where nobody says otherwise."""
WINDOW_MS = WINDOW_DAYS * DAY_MS
IMPRINT_KEPT_MS = 90 * DAY_MS
"""A branch that waits longer than this is known by the shas of its commits alone."""
REWORK_MAX = 3

FACTS_HOLD_MS = MINUTE_MS
"""What a decision relies on is asked again after that: windows open, waivers and evidence expire."""
DECISION_ROUNDS_MAX = 10
"""So often an action is decided again because what the decision relied on changed meanwhile."""

APPROVAL_ANSWER_MS = DAY_MS
"""Silence is no: an approval that nobody answered in that time is denied."""
APPROVAL_USE_MS = 15 * MINUTE_MS
"""So long after it was granted, an approval lets its action through."""
APPROVALS_OPEN_MAX = 20
"""Questions of one asker that wait for people in a repo at once."""

GATE_WAIT_MS = 4_000
BUSY_WAIT_MS = 800
"""Together under the five seconds after which no call may hang."""

STILL_MS = 3_000
"""Who stands still in a change to a PostgreSQL store for so long is ended, before those give up who wait for it."""
STILL_WRITING_MS, STILL_READING_MS = MINUTE_MS, HOUR_MS
"""The same where all of a repo is written at once, or read, which nobody waits for: the other store takes time."""
ANSWER_MS = 30_000
"""A PostgreSQL server that says nothing for longer than any statement may take is given up: it stands still, say, or
waits for a synchronous standby that is away, which nothing of its own ends."""
CONNECTIONS_MAX = 10
PRIVATE_CONNECTIONS_MAX = 4
"""Of one process to a PostgreSQL store, and to what a hub keeps to itself."""

HOOK_BYTES_MAX = 8_000_000
"""Of one hook payload; a `Write` carries the whole file."""
GLANCED_PATHS_MAX = 8
"""Files of one edit that a hook looks at in haste; more are looked at the full way."""
HOOK_LOOKS_AGAIN_MS = 300_000
"""So long hooks take a hub's rules to be as it told them."""
HOOK_GATE_WAIT_MS = 200
"""What a hook leaves behind is worth no more of a person's time."""
CALL_GATE_WAIT_MS = 2_000
"""Before a call of ours, which will wait there itself: who calls is known from the hook alone, and a run that starts
without it belongs to its session's first agent."""
HOOK_REPLY_TOKENS_MAX = 200
"""Of what a hook tells a model about one step."""
CALL_SEEN_FOR_MS = 60 * MINUTE_MS
EDIT_SEEN_FOR_MS = 7 * 24 * 60 * MINUTE_MS
