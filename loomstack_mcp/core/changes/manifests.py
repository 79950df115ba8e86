"""Files that say which versions of things are used: setting them back is seldom anybody's loss."""

import re

_NAMES = re.compile(
    r"""(?:^|/)(?:
      package\.json|lerna\.json|deno\.jsonc?|composer\.json|[^/]*manifest[^/]*\.json|\.npmrc|\.nvmrc|\.node-version
      |go\.(?:mod|work)|cargo\.toml|pyproject\.toml|setup\.(?:py|cfg)|[^/]*requirements[^/]*\.(?:txt|in)|pipfile
      |environment\.ya?ml|[^/]*\.gemspec|gemfile|\.ruby-version|pom\.xml|[^/]*\.gradle(?:\.kts)?|gradle\.properties
      |libs\.versions\.toml|[^/]*\.(?:cs|fs|vb)proj|packages\.config|directory\.packages\.props|chart\.yaml
      |\.pre-commit-config\.yaml|\.tool-versions|\.python-version|dependabot\.yml|renovate\.json5?
      |_?_?version_?_?(?:\.[a-z]+)?|versions?\.(?:tf|py|rb|go|txt|ts|js|props|cmake|h)|[^/]*dockerfile[^/]*
    )$
    |(?:^|/)requirements/""",
    re.VERBOSE | re.IGNORECASE,
)


def is_manifest(path: str, /) -> bool:
    """Whether its name says that it lists versions and dependencies."""
    return _NAMES.search(path) is not None
