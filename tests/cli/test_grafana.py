"""The dashboard for Grafana asks for metrics that we export, by attributes that they have, and leaves none out."""

import json
import re

from loomstack_mcp.core import conventions as names
from tests.conftest import Run

_SUFFIX = {"counter": ("_total",), "histogram": ("_seconds_bucket", "_seconds_count", "_seconds_sum")}
_WORDS = frozenset({"le", "sum", "by", "rate", "increase", "histogram_quantile", "__rate_interval", "__range", "h"})


def prometheus(name: str) -> str:
    """As a collector's Prometheus exporter spells a name (https://prometheus.io/docs/guides/opentelemetry/)."""
    return name.replace(".", "_")


def test_each_panel_shows_what_we_export(loomstack: Run) -> None:
    dashboard = json.loads(loomstack("telemetry", "grafana").stdout)
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    known = {
        f"{prometheus(name)}{suffix}": {prometheus(one) for one in names.METRIC_ATTRIBUTES[name]}
        for name, (kind, _, _) in names.METRICS.items()
        for suffix in _SUFFIX[kind]
    }
    shown = set()
    for expression in asked:
        words = set(re.findall(r"[a-z_]{2,}", re.sub(r'"[^"]*"', "", expression))) - _WORDS
        [metric] = words & known.keys()
        shown.add(metric)
        assert words - {metric} <= known[metric], expression

    assert {name for name in names.METRICS if not any(one.startswith(prometheus(name)) for one in shown)} == set()
    assert dashboard["uid"] == "loomstack"
    assert names.METRICS.keys() == names.METRIC_ATTRIBUTES.keys()
