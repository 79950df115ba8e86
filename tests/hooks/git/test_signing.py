"""The `Loom-Run:` trailer: whoever makes a commit signs it, once, and what it takes over stays signed."""

from pathlib import Path

import pytest

from loomstack_mcp.adapters.git.worktree import worktree_at
from loomstack_mcp.adapters.user import principal
from loomstack_mcp.core.runs import Caller
from tests.hooks.git.clone import Clone

BEA = "claude:s-bea/"
ANA = "claude:s-ana/"


def test_a_commit_of_a_session_names_its_run_and_is_bound_to_it(ana: Clone) -> None:
    done = ana.commit("-m", "Net prices", "-m", "Co-authored-by: Claude <c@x>")
    run = ana.runs()[ANA]

    assert ana.message == f"Net prices\n\nCo-authored-by: Claude <c@x>\nLoom-Run: {run.id}"
    assert (run.origin, ana.makers(), done.stderr) == ("session", [run.id], "")


def test_a_commit_of_codex_names_the_run_of_its_thread(clone: Clone) -> None:
    codex = clone.by(CODEX_SESSION_ID="root", CODEX_THREAD_ID="child", CLAUDE_CODE_SESSION_ID="outer")
    codex.commit()

    assert codex.runs_named() == [codex.runs()["codex:root/child"].id]


def test_a_person_s_commit_is_nobody_s(clone: Clone) -> None:
    done = clone.commit("-m", "By hand")

    assert (clone.message, clone.makers(), clone.runs(), done.stderr) == ("By hand", [], {}, "")


def test_without_a_store_a_commit_is_made_without_a_word_of_runs(tmp_path: Path, ana: Clone) -> None:
    (tmp_path / "loomstack/loom.db").unlink()
    ana.commit("-m", "Work")

    assert (ana.message, (tmp_path / "loomstack/loom.db").exists()) == ("Work", False)


def test_no_verify_signs_and_binds_as_well(ana: Clone) -> None:
    ana.commit("--no-verify", "-m", "Work")

    assert ana.runs_named() == ana.makers() == [ana.runs()[ANA].id]


def test_a_title_like_a_comment_is_signed_where_git_keeps_it(ana: Clone) -> None:
    ana.commit("-m", "#123 fix login")
    made = ana.message
    ana.run("commit", "--quiet", "--amend", "-m", "# Fix login")
    amended = ana.message
    ana.run("config", "commit.cleanup", "strip")
    aborted = ana.commit("-m", "#123 fix login", status=1)

    run = ana.runs()[ANA].id
    assert made == f"#123 fix login\n\nLoom-Run: {run}"
    assert amended == f"# Fix login\n\nLoom-Run: {run}"
    assert "empty commit message" in aborted.stderr


def test_an_amend_keeps_the_run_and_names_it_once(ana: Clone) -> None:
    ana.commit()
    before = ana.runs_named()
    ana.run("commit", "--quiet", "--amend", "-m", "Said better")
    after = ana.runs_named()
    ana.run("commit", "--quiet", "--amend", "--no-edit")

    assert before == after == ana.runs_named() == ana.makers() == [ana.runs()[ANA].id]
    assert ana.message.count("Loom-Run") == 1


def test_another_session_s_amend_adds_its_own(ana: Clone) -> None:
    ana.commit()
    bea = ana.by(CLAUDE_CODE_SESSION_ID="s-bea")
    (ana.root / "more").write_text("1")
    ana.run("add", "more")
    bea.run("commit", "--quiet", "--amend", "--no-edit")
    runs = [ana.runs()[name].id for name in (ANA, BEA)]

    assert ana.runs_named() == runs
    assert ana.makers() == sorted(runs)


def test_a_person_s_amend_keeps_whose_it_was(ana: Clone, clone: Clone) -> None:
    ana.commit()
    clone.commit("--amend", "--no-edit", files={"file": "by hand"})

    assert clone.runs_named() == clone.makers() == [ana.runs()[ANA].id]


def test_merges_reverts_and_cherry_picks_are_signed_by_whoever_makes_them(ana: Clone) -> None:
    ana.commit(files={"one": "1"})
    bea = ana.by(CLAUDE_CODE_SESSION_ID="s-bea")
    bea.run("checkout", "--quiet", "-b", "side", "HEAD~1")
    bea.commit(files={"two": "2"})
    bea.run("cherry-pick", "main")
    ours, hers = ([ana.runs()[name].id] for name in (ANA, BEA))
    picked = bea.runs_named()
    bea.run("revert", "--no-edit", "HEAD")
    reverted = bea.runs_named()
    ana.run("checkout", "--quiet", "main")
    ana.run("merge", "--quiet", "--no-edit", "--no-verify", "side")

    assert (picked, reverted, ana.runs_named()) == ([*ours, *hers], hers, ours)
    assert ana.run("log", "-1", "--format=%P").stdout.count(" ") == 1


def test_a_squash_merge_names_every_run_whose_work_it_takes(ana: Clone, clone: Clone) -> None:
    ana.run("checkout", "--quiet", "-b", "side")
    ana.commit(files={"one": "1"})
    ana.by(CLAUDE_CODE_SESSION_ID="s-bea").commit(files={"two": "2"})
    clone.run("checkout", "--quiet", "main")
    clone.run("merge", "--quiet", "--squash", "side")
    clone.run("commit", "--quiet", "--no-edit")

    assert sorted(clone.runs_named()) == sorted(run.id for run in ana.runs().values())


@pytest.mark.parametrize("word", ["squash", "fixup"])
def test_a_squash_in_a_rebase_names_and_binds_both_runs(ana: Clone, clone: Clone, word: str) -> None:
    ana.commit(files={"one": "1"})
    ana.by(CLAUDE_CODE_SESSION_ID="s-bea").commit(files={"two": "2"})
    clone.by(GIT_SEQUENCE_EDITOR=f"sed -i 2s/pick/{word}/").run("rebase", "--quiet", "-i", "HEAD~2")
    both = sorted(run.id for run in ana.runs().values())

    assert sorted(clone.runs_named()) == both
    assert clone.makers() == both


def test_a_rebase_moves_commits_and_makes_none_its_own(ana: Clone, clone: Clone) -> None:
    ana.run("checkout", "--quiet", "-b", "side")
    ana.commit(files={"one": "1"})
    before = ana.head
    clone.run("checkout", "--quiet", "main")
    clone.commit(files={"two": "2"})
    bea = ana.by(CLAUDE_CODE_SESSION_ID="s-bea")
    bea.run("rebase", "--quiet", "main", "side")
    ours = [ana.runs()[ANA].id]

    assert bea.head != before
    assert bea.runs_named() == bea.makers() == ours


def test_who_resolves_a_conflict_in_a_rebase_signs_too(ana: Clone, clone: Clone) -> None:
    ana.run("checkout", "--quiet", "-b", "side")
    ana.commit(files={"file": "ana's"})
    clone.run("checkout", "--quiet", "main")
    clone.commit(files={"file": "a person's"})
    bea = ana.by(CLAUDE_CODE_SESSION_ID="s-bea")
    bea.run("rebase", "--quiet", "main", "side", status=1)
    bea.write({"file": "both"})
    bea.run("rebase", "--continue")

    assert bea.runs_named() == [ana.runs()[name].id for name in (ANA, BEA)]


def test_an_edited_message_is_signed_after_the_editor(ana: Clone) -> None:
    ana.by(GIT_EDITOR="sed -i '1s/^/Net prices/'").commit("--verbose")

    assert ana.message == f"Net prices\n\nLoom-Run: {ana.runs()[ANA].id}"


@pytest.mark.parametrize("options", [("--status",), ("--verbose",), ("--template", "template")])
def test_a_message_left_empty_still_aborts(ana: Clone, options: tuple[str, ...]) -> None:
    (ana.root / "template").write_text("Why:\n")
    before = ana.head
    ana.commit(*options, status=1)

    assert ana.head == before


def test_an_empty_message_that_was_allowed_stays_empty(ana: Clone) -> None:
    ana.commit("--allow-empty-message", "-m", "")

    assert ana.message == ""
    assert ana.makers() == [ana.runs()[ANA].id]


def test_other_comment_letters_and_dividers_do_not_hide_the_end_of_a_message(ana: Clone) -> None:
    ana.run("config", "core.commentChar", ";")
    ana.by(GIT_EDITOR="sed -i '1s/^/Table\\n\\n---\\n#1 holds/'").commit("--status")
    run = ana.runs()[ANA].id

    assert ana.message == f"Table\n\n---\n#1 holds\n\nLoom-Run: {run}"


def test_a_message_as_it_was_written_keeps_its_comments(ana: Clone) -> None:
    ana.commit("--cleanup=verbatim", "-m", "Work\n\n# not a comment\n")

    assert ana.runs_named() == [ana.runs()[ANA].id]
    assert "\n# not a comment\n" in ana.message + "\n"


def test_a_message_in_another_encoding_keeps_its_bytes(ana: Clone) -> None:
    ana.run("config", "i18n.commitEncoding", "latin-1")
    (ana.root / "message").write_bytes("Grün\n".encode("latin-1"))
    ana.commit("-F", "message")

    text = ana.run("log", "-1", "--format=%B", "--encoding=UTF-8").stdout

    assert text == f"Grün\n\nLoom-Run: {ana.runs()[ANA].id}\n\n"


def test_a_run_that_the_agent_asked_for_goes_before_its_session_s(ana: Clone) -> None:
    ana.commit()
    run = ana.runs()[ANA]
    with ana.opened() as loom:
        tree = worktree_at(ana.root)
        assert tree
        caller = Caller(principal=run.principal, session=run.session)
        asked = loom.runs.start(caller, tree.checkout(), loop="triage", goal="green", budget_tokens=100).run
    ana.commit()

    assert ana.runs_named() == [asked.id]


def test_a_commit_ends_what_was_held_for_the_edits_that_it_takes_in(ana: Clone, clone: Clone) -> None:
    tree = worktree_at(ana.root)
    assert tree
    caller = Caller(principal=principal(), session="claude:s-ana")
    with ana.opened() as loom:
        loom.edits.hold(caller, tree.checkout(), ["src/a.py", "src/b.py", "README.md"])
    ana.commit(files={"src/a.py": "1", "src/b.py": "1"})
    (ana.root / "README.md").write_text("by hand")
    clone.run("add", "README.md")
    (ana.root / "README.md").write_text("and more")
    clone.run("commit", "--quiet", "-m", "Some of it")
    with ana.opened() as loom:
        partly = [claim.patterns for claim in loom.claims.held(loom.repos.ids()[0], limit=9)[0]]
    clone.commit(files={"README.md": "and more"})
    with ana.opened() as loom:
        wholly = loom.claims.held(loom.repos.ids()[0], limit=9)[0]

    assert (partly, wholly) == ([("README.md",)], ())


def test_what_a_person_makes_where_a_rebase_stops_is_nobody_s(ana: Clone, clone: Clone) -> None:
    base = ana.head
    for name in ("one", "two"):
        ana.commit("-m", name, files={name: name})
    clone.by(GIT_SEQUENCE_EDITOR="sed -i 1s/^pick/edit/").run("rebase", "--quiet", "--interactive", base)
    clone.commit("-m", "By hand", files={"own": "own"})
    clone.run("rebase", "--continue")
    run = ana.runs()[ANA].id

    assert [clone.makers(commit) for commit in ("HEAD~1", "HEAD")] == [[], [run]]
