"""The paths that a shell line writes."""

import pytest

from loomstack_mcp.core.shell.targets import Write
from tests.core.shell.lines import read


def written(line: str, *, cwd: str = "") -> list[str]:
    """Each path, with `/**` where what is below it counts too; `?` is any path."""
    return [f"{one.path or '?'}{'/**' if one.is_folder_wide else ''}" for one in read(line, cwd=cwd).writes]


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("> src/core/a.py", ["src/core/a.py"]),
        ("echo x >> a 2> b >| c", ["a", "b", "c"]),
        ("ls &> a; ls &>> b; ls >& c", ["a", "b", "c"]),
        ("ls > /dev/null 2>&1 >&2", []),
        ("a && b > f", ["f"]),
        ("if a; then b; fi > f", ["f"]),
        ("cat <<EOF > f\nx\nEOF", ["f"]),
        ("tee -a a b", ["a", "b"]),
        ("echo x | sudo tee /etc/hosts", ["/etc/hosts"]),
        ("sed -i 's/a/b/' src/core/a.py", ["src/core/a.py"]),
        ("sed -i.bak -e s/a/b/ f", ["f"]),
        ("sed -ni p f; sed --in-place 1d g", ["f", "g"]),
        ("sed -i '' s/a/b/ f", ["f"]),
        ("sed -n 1p f; sed 's/-i/x/' g", []),
        ("perl -pi -e 's/a/b/' f g; perl -pe 1 h", ["f", "g"]),
        ("gawk -i inplace '{print}' f; awk 1 g", ["f"]),
        ("rm -rf src; rm a", ["src/**", "a"]),
        ("find . -delete", ["./**"]),
        ("find src -name '*.py' -exec sed -i s/a/b/ {} +", ["src/**"]),
        ("find src | xargs rm", ["?/**"]),
        ("cd src && rm a.py", ["src/a.py"]),
        ("(cd src; rm a); rm b", ["src/a", "b"]),
        ("cd src | true; rm b", ["b"]),
        ("cd a; cd ../c/./d; rm x", ["c/d/x"]),
        ("cd /tmp; rm x", ["/tmp/x"]),
        ('cd "$x"; rm a; rm /b', ["?/**", "/b"]),
        ("pushd src; popd; rm a", ["?/**"]),
        ('eval "cd src"; rm a', ["src/a"]),
        ("bash -c 'cd src; rm a'; rm b", ["src/a", "b"]),
        ("cp a.py src/core/", ["src/core", "src/core/a.py"]),
        ("cp -r x/. src", ["src/**"]),
        ("cp -t src a", ["src", "src/a"]),
        ("mv src x", ["src/**", "x", "x/src/**"]),
        ("ln -s ../y", [".", "y"]),
        ("install -d a b", ["a", "b", "b/a"]),
        ("rsync -a --delete a/ src/; rsync a host:b", ["src/**"]),
        ("dd if=a of=b; truncate -s 0 c; mkdir -p d/e; touch -r f g; rmdir h", ["b", "c", "d/e", "g", "h"]),
        ("chmod -x a; chmod 600 b; chown -R me c", ["a", "b", "c/**"]),
        ("curl -sSLo a https://x; sort -o b b", ["a", "b"]),
        ("git checkout -- a; git checkout main b; git checkout a.py", ["a/**", "b/**", "a.py/**"]),
        ("git checkout main; git checkout -b feat/x; git checkout HEAD~1", []),
        ("git restore src; git restore --staged a", ["src/**"]),
        ("git -C sub rm a; git mv b c", ["sub/a/**", "b/**", "c", "c/b/**"]),
        ("git clean -fd; git clean -n", ["./**"]),
        ("git apply x.patch", ["?/**"]),
        ("git apply --check x.patch", []),
        ("patch -p1 < x", ["?/**"]),
        ("apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: a\n*** Move to: b\n*** End Patch\nEOF", ["a", "b"]),
        ("rm src/{a,b}/c", ["src/a/c", "src/b/c"]),
        ("rm src/*.py", ["src/**"]),
        ('rm "src/$x" "$y"', ["src/**", "?/**"]),
        ("D=src/core; rm -r $D/x", ["src/core/x/**"]),
        ("rm ~/x $HOME/y $PWD/z '~'", ["/home/dana/x", "/home/dana/y", "z", "~"]),
        ("rm a\\ b 'c d' é \"e\"f", ["a b", "c d", "é", "ef"]),
        ("rm src//./a/ ../b", ["src/a", "../b"]),
        ("cat a; ls src; python -c 'open(1)'", []),
    ],
)  # fmt: skip
def test_the_paths_that_a_line_writes(line: str, paths: list[str]) -> None:
    assert written(line) == paths


def test_a_pattern_of_the_shell_is_kept_for_who_can_look() -> None:
    assert read("rm src/*.py build-$i.txt").writes == (
        Write(path="src", is_folder_wide=True, glob="*.py"),
        Write(path=".", is_folder_wide=True, glob="build-*.txt"),
    )


def test_paths_start_where_the_line_does() -> None:
    assert written("rm a /b; cd ..; rm c", cwd="/work/shop") == ["/work/shop/a", "/b", "/work/c"]
