"""Made histories: a small repository of several languages, its commits written by `git fast-import`."""

import random
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

Block = list[str]
"""The lines of one function, section or paragraph."""
Files = dict[str, list[Block]]

HOUR_S = 3_600
_START_S = 1_790_000_000
_WORDS = Path(__file__).with_name("words.txt").read_text().split()
_PEOPLE = ("cy", "dan", "eva", "finn")


@dataclass
class Commit:
    """One commit; `undoes` is the truth that an evaluation knows: the marks of what it takes back."""

    mark: int
    author: str
    message: str
    files: dict[str, bytes]
    parents: tuple[int, ...]
    at_s: int
    undoes: tuple[int, ...] = ()


@dataclass
class History:
    """A repository in the making."""

    random: random.Random
    files: Files = field(default_factory=dict)
    commits: list[Commit] = field(default_factory=list)
    now_s: int = _START_S
    head: int = 0
    reserved: list[Block] = field(default_factory=list)
    """Blocks that the noise of other authors leaves alone."""

    def commit(
        self,
        author: str,
        message: str,
        *,
        undoes: tuple[int, ...] = (),
        parents: tuple[int, ...] = (),
        hours: float = 3,
    ) -> int:
        """Record the files as they are; returns the commit's mark."""
        self.now_s += int(hours * HOUR_S)
        mark = len(self.commits) + 1
        parents = parents or ((self.head,) if self.head else ())
        contents = {path: text_of(blocks) for path, blocks in self.files.items()}
        self.commits.append(Commit(mark, author, message, contents, parents, self.now_s, undoes))
        self.head = mark
        return mark

    def start(self) -> None:
        """A project with some files, of some age."""
        for path in (
            "shop/cart.py",
            "shop/tax.py",
            "web/basket.ts",
            "api/server.go",
            "deploy/config.yaml",
            "docs/guide.md",
            "tests/test_cart.py",
        ):
            self.files[path] = [self.block(path) for _ in range(self.random.randint(8, 14))]
        self.commit("root", "A shop")
        self.noise(4)
        self.now_s += 40 * 24 * HOUR_S  # so that the shop itself is older than what is remembered

    def noise(self, count: int) -> None:
        """Other people's work elsewhere."""
        for _ in range(count):
            author = self.random.choice(_PEOPLE)
            for path in self.random.sample(sorted(self.files), k=self.random.randint(1, 2)):
                free = [block for block in self.files[path] if not any(block is kept for kept in self.reserved)]
                if self.random.random() < 0.3 or not free:
                    self.files[path].insert(self.random.randrange(len(self.files[path]) + 1), self.block(path))
                else:
                    self.change(path, self.random.choice(free), lines=self.random.randint(1, 3))
            self.commit(
                author, f"{self.verb()} the {self.word()} of the {self.word()}", hours=self.random.uniform(0.5, 8)
            )

    def pick(self, path: str) -> Block:
        """A block that nobody else will touch."""
        block = self.random.choice([one for one in self.files[path] if not any(one is kept for kept in self.reserved)])
        self.reserved.append(block)
        return block

    def change(self, path: str, block: Block, *, lines: int = 2) -> tuple[Block, Block]:
        """Replace some lines within a block; returns the block as it was and as it is."""
        before = list(block)
        start = self.random.randint(1, max(1, len(block) - lines - 1))
        block[start : start + lines] = [self.line(path) for _ in range(lines)]
        return before, list(block)

    def block(self, path: str) -> Block:
        name, other = self.word(), self.word()
        body = [self.line(path) for _ in range(self.random.randint(4, 9))]
        if path.endswith(".py"):
            test = "test_" if "test" in path else ""
            return [f"def {test}{name}_{other}({self.word()}, rate):", *body, f"    return {name}", ""]
        if path.endswith(".ts"):
            return [f"export function {name}{other.title()}(input: Input) {{", *body, f"  return {name}", "}", ""]
        if path.endswith(".go"):
            ending = ["	if err != nil {", "		return err", "	}", "	return nil", "}", ""]
            return [
                f"func {name.title()}{other.title()}(ctx context.Context) error {{",
                "	defer cancel()",
                *body,
                *ending,
            ]
        if path.endswith(".yaml"):
            return [f"{name}_{other}:", *body, "  enabled: true", ""]
        return [f"## {name.title()} {other}", "", *body, ""]

    def line(self, path: str) -> str:
        a, b, c, n = self.word(), self.word(), self.word(), self.random.randint(2, 9_999)
        if path.endswith(".py"):
            if "test" in path:
                return f"    assert {a}({b}, {n}) == {self.random.randint(2, 99_999)}"
            return self.random.choice(
                (
                    f"    {a} = {b}.{c}({n}, rate=rate)",
                    f"    {a}_{b} = {a} * {n} + {c}(rate)",
                    f"    check_{a}({b}, limit={n}, unit='{c}')",
                )
            )
        if path.endswith(".ts"):
            return self.random.choice(
                (f"  const {a}{b.title()} = await {c}.load({n}, '{b}')", f"  {a}.{b} = {c} * {n}")
            )
        if path.endswith(".go"):
            return self.random.choice((f"	{a}, err := {b}.{c.title()}(ctx, {n})", f"	{a}.{b.title()} = {c}({n})"))
        if path.endswith(".yaml"):
            return f"  {a}_{b}: {n}"
        return f"The {a} of a {b} follows the {c} after {n} {self.word()}s."

    def word(self) -> str:
        return self.random.choice(_WORDS)

    def verb(self) -> str:
        return self.random.choice(("Rework", "Speed up", "Fix", "Name", "Check", "Split", "Extend"))


def text_of(blocks: list[Block]) -> bytes:
    return "".join(f"{line}\n" for block in blocks for line in block).encode()


def written(history: History, folder: Path) -> dict[int, str]:
    """Make the repository; returns the hash of each mark."""
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=folder, check=True)
    stream = b"".join(_stream(commit) for commit in history.commits)
    stream += b"reset refs/heads/main\nfrom :%d\n\n" % history.head
    given = ["git", "fast-import", "--quiet", "--export-marks=marks"]
    subprocess.run(given, cwd=folder, check=True, input=stream, capture_output=True)
    pairs = (line.split() for line in (folder / "marks").read_text().splitlines())
    return {int(mark[1:]): sha for mark, sha in pairs}


def _stream(commit: Commit) -> bytes:
    who = b"%s <%s@shop> %d +0000" % (commit.author.encode(), commit.author.encode(), commit.at_s)
    said = commit.message.encode()
    lines = [
        b"commit refs/heads/made",
        b"mark :%d" % commit.mark,
        b"author " + who,
        b"committer " + who,
        b"data %d\n%s" % (len(said), said),
    ]
    for number, parent in enumerate(commit.parents):
        lines.append(b"%s :%d" % (b"from" if number == 0 else b"merge", parent))
    lines.append(b"deleteall")
    for path, content in commit.files.items():
        lines.append(b"M 100644 inline %s\ndata %d\n%s" % (path.encode(), len(content), content))
    return b"\n".join(lines) + b"\n\n"
