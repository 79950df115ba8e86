"""Shapes that are nothing but secrets, each as its issuer publishes it."""

import re
from collections.abc import Iterator
from functools import cache

from loomstack_mcp.core.records import record


@record
class Shape:
    """What a secret of one issuer looks like."""

    what: str
    """With its article: `an AWS access key`."""
    literals: tuple[str, ...]
    """One of these is in every such secret; looking for them costs a hundredth of the expression."""
    expression: str
    """Without a repetition that has no upper bound: each match ends within a few hundred characters."""


def secret_in(text: str, /) -> str:
    """What the first secret in a text is, in the order of the table; "" where none shows."""
    for shape in SHAPES:
        if any(literal in text for literal in shape.literals) and _of_text(shape.expression).search(text):
            return shape.what
    return ""


def secrets_in(content: bytes, /) -> Iterator[tuple[int, str]]:
    """Where each secret begins in some bytes, and what it is; never the secret itself."""
    for shape in SHAPES:
        if any(literal.encode() in content for literal in shape.literals):
            for found in _of_bytes(shape.expression).finditer(content):
                yield found.start(), shape.what


@cache
def _of_text(expression: str) -> re.Pattern[str]:
    # Compiled when first needed: a hook that sees no literal pays for none of them.
    return re.compile(expression)


@cache
def _of_bytes(expression: str) -> re.Pattern[bytes]:
    return re.compile(expression.encode())


def _shape(what: str, expression: str, *literals: str) -> Shape:
    return Shape(what=what, literals=literals, expression=expression)


SHAPES = (
    _shape("a private key", r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY", "PRIVATE KEY"),
    _shape("a private key", r"\bPuTTY-User-Key-File-[23]:", "PuTTY-User-Key-File-"),
    _shape("a private key", r"\bAGE-SECRET-KEY-1[0-9A-Z]{58}", "AGE-SECRET-KEY-1"),
    _shape("a LoomStack token", r"\bloom_[0-9a-f]{8}_[0-9A-Za-z_-]{43}", "loom_"),
    _shape("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", "AKIA", "ASIA"),
    _shape("a GitHub token", r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60})",
           "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    _shape("a GitLab token", r"\bgl(?:pat|dt|rt|ptt|cbt|soat)-[0-9A-Za-z_-]{20}",
           "glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-"),
    _shape("a Slack token", r"\bxox[abeoprs]-[0-9A-Za-z-]{10}", "xox"),
    _shape("a Slack token", r"\bxapp-[0-9]-[0-9A-Z]{8,16}-[0-9]{8,16}-[0-9a-f]{32}", "xapp-"),
    _shape("a Slack webhook", r"\bhooks\.slack\.com/services/T[0-9A-Z]{8,12}/B[0-9A-Z]{8,12}/[0-9A-Za-z]{20}",
           "hooks.slack.com/"),
    # Only after a known word may it hold hyphens: `sk-loading-…` is a class of a style sheet.
    _shape("an API key", r"\bsk-(?:(?:ant|proj|svcacct|admin|or-v1)-[0-9A-Za-z_-]{32}|[0-9A-Za-z]{32})", "sk-"),
    # Bounded: `-eyJ-eyJ…` would cost the square of its length otherwise.
    _shape("a signed web token", r"\beyJ[0-9A-Za-z_-]{8,400}\.eyJ[0-9A-Za-z_-]{8,4000}\.[0-9A-Za-z_-]{8}", "eyJ"),
    _shape("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}", "AIza"),
    _shape("a Google client secret", r"\bGOCSPX-[0-9A-Za-z_-]{28}", "GOCSPX-"),
    _shape("a Stripe key", r"\b[sr]k_(?:live|test)_[0-9A-Za-z]{24}",
           "sk_live_", "sk_test_", "rk_live_", "rk_test_"),
    _shape("a SendGrid key", r"\bSG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}", "SG."),
    _shape("an npm token", r"\bnpm_[0-9A-Za-z]{36}", "npm_"),
    _shape("a PyPI token", r"\bpypi-AgE[0-9A-Za-z_-]{60}", "pypi-AgE"),
    _shape("a RubyGems key", r"\brubygems_[0-9a-f]{48}", "rubygems_"),
    _shape("a Docker token", r"\bdckr_(?:pat|oat)_[0-9A-Za-z_-]{27}", "dckr_"),
    _shape("a DigitalOcean token", r"\bdo[opr]_v1_[0-9a-f]{64}", "_v1_"),
    _shape("a Hugging Face token", r"\bhf_[A-Za-z]{34}\b", "hf_"),
    _shape("a Shopify token", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", "shpat_", "shpca_", "shppa_", "shpss_"),
    _shape("a Databricks token", r"\bdapi[0-9a-f]{32}", "dapi"),
    _shape("a Linear key", r"\blin_(?:api|oauth)_[0-9A-Za-z]{40}", "lin_"),
    _shape("a Notion token", r"\bntn_[0-9A-Za-z]{43}", "ntn_"),
    _shape("an Atlassian token", r"\bATATT3[0-9A-Za-z_=-]{180}", "ATATT3"),
    _shape("a Vault token", r"\bhv[sb]\.[0-9A-Za-z_-]{24}", "hvs.", "hvb."),
    _shape("a Terraform token", r"\b[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60}", ".atlasv1."),
    _shape("a Grafana token", r"\bgl(?:sa_[0-9A-Za-z]{32}_[0-9a-f]{8}|c_eyJ[0-9A-Za-z+/=]{60})", "glsa_", "glc_eyJ"),
    _shape("a New Relic key", r"\bNRAK-[0-9A-Z]{27}", "NRAK-"),
    _shape("a Sentry token", r"\bsntry(?:u_[0-9a-f]{64}|s_eyJ[0-9A-Za-z+/=_]{60})", "sntryu_", "sntrys_"),
    _shape("a Telegram token", r"\b[0-9]{8,10}:AA[0-9A-Za-z_-]{33}", ":AA"),
    _shape("a Discord webhook", r"\bdiscord(?:app)?\.com/api/webhooks/[0-9]{15,20}/[0-9A-Za-z_-]{60}",
           "/api/webhooks/"),
    _shape("an Azure storage key", r"\bAccountKey=[0-9A-Za-z+/]{86}==", "AccountKey="),
)  # fmt: skip
"""Test values count as well: nobody can tell from outside whether one is live."""
