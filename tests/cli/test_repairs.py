"""A change that puts back what another had silently taken: it is told so, and is no conflict for it."""

from dataclasses import replace

from loomstack_mcp.cli.audit_cases import Case
from loomstack_mcp.core.changes.conflict_records import Intent
from loomstack_mcp.core.changes.conflicts import conflicts, repair_words
from loomstack_mcp.core.changes.undone import Undone
from loomstack_mcp.core.changes.verdicts import Reversal
from loomstack_mcp.core.changes.words import taken_back
from tests.cli.cases import case


def repairing(*repairs: str, verdict: str = "warn") -> tuple[Case, Reversal]:
    """A case of Cleo: what it takes back of Ana and of Bea, each to repair something or to repair nothing."""
    made = case("1", whom=("Ana", "Bea"), author="Cleo", verdict=verdict)
    undoes = tuple(
        replace(undone, repairs=sha, own_repair=bool(sha)) for undone, sha in zip(made.one.undoes, repairs, strict=True)
    )
    one = replace(made.one, undoes=undoes)
    return replace(made, one=one), one


def hit(one: Reversal, *, intended: bool = False) -> list[str]:
    def intent_on(*_: object) -> Intent | None:
        return Intent(text="net", who="ana") if intended else None

    return [found.who for found in conflicts(one, (), intent_on=intent_on)]


def test_what_is_taken_back_to_repair_is_no_conflict() -> None:
    assert hit(repairing("f" * 40, "")[1]) == ["Bea"]
    assert hit(repairing("f" * 40, "e" * 40, verdict="clear")[1]) == []


def test_what_was_made_on_purpose_is_one_also_to_who_repairs() -> None:
    assert hit(repairing("f" * 40, "", verdict="stop")[1], intended=True) == ["Ana", "Bea"]


def test_the_repairer_is_told_whose_loss_it_puts_back() -> None:
    [undone, _] = repairing("f" * 40, "")[1].undoes

    assert repair_words(undone) == f"puts back what {'0' * 10} of Ana took of {'f' * 10}: “{undone.change.title}”"


def test_a_case_is_about_what_it_took_and_not_about_what_it_put_back() -> None:
    made, one = repairing("f" * 40, "")

    assert [undone.change.author for undone in made.most_undone] == ["Bea"]
    assert made.paths == ("src/1.py",)
    assert taken_back(one) == made.most_undone


def test_of_a_repair_alone_all_is_told() -> None:
    one = repairing("f" * 40, "e" * 40)[1]
    told: tuple[Undone, ...] = taken_back(one)

    assert told == one.undoes
