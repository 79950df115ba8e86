"""Telemetry out: spans and metrics to an OTLP endpoint, by OpenTelemetry's SDK. Nobody else here knows it.

All of it is sent by threads of the SDK from bounded queues: where the collector is away, what was queued is dropped,
and said once. SpanFields hold names, paths, ids and counts, and no text of agents and no code.
"""

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from loomstack_mcp.adapters.callings import Calling, SpanFields, current_calling, drawn_span, drawn_trace
from loomstack_mcp.core import conventions as names
from loomstack_mcp.core.trace_context import TraceParent, run_trace

_VERSION = str(vars(sys.modules["loomstack_mcp"])["__version__"])
NEEDED = (
    "otlp_endpoint is set, and what it needs is not installed: `pip install 'loomstack-mcp[otel]'` brings it; nothing "
    "is exported until then"
)
_QUEUE_SPANS = 2_048
_SPANS_EACH_MS, _METRICS_EACH_MS = 2_000, 15_000
_ANSWER_S = 5
_TEXT_CHARS_MAX = 200
_STATUSES = frozenset({"done", "passed", "failed", "blocked", "abandoned", "session ended"})
_CHECKING = ("checker", "reviewer", "build", "scan")
_LOGGERS = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.http.transport",
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.sdk.trace.export",
    "opentelemetry.sdk.metrics._internal.export",
)
"""Who says that something did not arrive."""


class Telemetry:
    """The way out of one process. None of its methods fails for a collector that is away."""

    def __init__(self, endpoint: str, headers: str = "") -> None:
        """Raises ModuleNotFoundError where the packages of the extra `otel` are not there."""
        from opentelemetry import trace  # what nobody needs who exports nothing
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import Event, ReadableSpan
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        self._trace, self._event, self._span = trace, Event, ReadableSpan
        said = _SaidOnce()
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(said)
        self._resource = Resource({names.SERVICE_NAME: "loomstack", names.SERVICE_VERSION: _VERSION})
        self._scope = InstrumentationScope(names.SCOPE, _VERSION, names.SCHEMA_URL)
        given: dict[str, Any] = {"headers": header_pairs(headers), "timeout": _ANSWER_S}
        base = endpoint.rstrip("/")
        self._spans = BatchSpanProcessor(
            OTLPSpanExporter(endpoint=f"{base}/v1/traces", **given),
            max_queue_size=_QUEUE_SPANS,
            schedule_delay_millis=_SPANS_EACH_MS,
        )
        exporter = OTLPMetricExporter(endpoint=f"{base}/v1/metrics", **given)
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=_METRICS_EACH_MS)
        self._meters = MeterProvider(metric_readers=[reader], resource=self._resource, shutdown_on_exit=False)
        self._instruments = _instruments(self._meters)
        self._began_s = time.monotonic()
        self.last_runs: dict[str, str] = {}
        """The run that each session started last."""

    @contextmanager
    def calling(self, name: str, attributes: SpanFields, parent: TraceParent | None = None) -> Iterator[Calling]:
        """A call that is answered within, as a span of kind SERVER with all that it does below it."""
        one = Calling(name, attributes, parent)
        token = current_calling.set(one)
        try:
            yield one
        finally:
            current_calling.reset(token)
            self._tell(one)

    def measured(self, metric: str, value: float, attributes: SpanFields) -> None:
        """One more of a metric: a count, or seconds. Of the attributes those that it is told apart by."""
        kept = {name: attributes[name] for name in names.METRIC_ATTRIBUTES[metric] if attributes.get(name)}
        self._instruments[metric](value, kept)

    def session_over(self, transport: str) -> None:
        """A client's session has ended, which began with this."""
        self.measured(names.SESSION_DURATION, time.monotonic() - self._began_s, {names.TRANSPORT: transport})

    def transaction(self, told: Any, /) -> None:
        """What a store tells of a transaction: part of the call that it served, and what has happened by it."""
        if (calling := current_calling.get()) is not None:
            attributes = {names.STORE_STATEMENTS: told.statements, names.STORE_ROWS: told.rows}
            attributes |= {names.REPO: told.repo_id} if told.repo_id else {}
            attributes |= {names.ERROR_TYPE: told.error} if told.error else {}
            calling.parts.append((f"store {told.door}", told.began_ns, told.ended_ns, attributes))
        if told.error:
            return
        for answer, point in told.decisions:
            self.measured(names.DECISIONS, 1, {names.ANSWER: answer, names.POINT: point})
        for kind, run_id, about, payload in told.events:
            self._happened(kind, run_id, about, payload, told.ended_ns)
        for run in told.over:
            self._run_over(run)

    def flush(self, most_s: float) -> None:
        """Send what is queued, and wait for that no longer than so."""
        sending = threading.Thread(target=self._sent, args=(round(most_s * 1000),), daemon=True)
        sending.start()
        sending.join(most_s)

    def _sent(self, most_ms: int) -> None:
        try:
            self._spans.force_flush(most_ms)
            self._meters.force_flush(most_ms)
        except Exception as error:  # noqa: BLE001 the thread's last handler: a collector's fault ends no session
            logging.getLogger(_LOGGERS[0]).warning("%s", type(error).__name__)

    def _happened(self, kind: str, run_id: str, about: str, payload: SpanFields, at_ns: int) -> None:
        if kind == "claim.refused":
            self.measured(names.CONFLICTS, 1, {names.CONFLICT_KIND: "claim", names.VERDICT: "stop"})
        elif kind == "conflict.found":
            told = {names.CONFLICT_KIND: payload.get("kind"), names.VERDICT: payload.get("verdict")}
            self.measured(names.CONFLICTS, 1, told)
        elif kind == "outcome.recorded":
            self._recorded(payload)
        elif kind == "commit.made":
            self._instant("commit", run_id, at_ns, {names.REVISION: about})
        elif kind.startswith("deploy."):
            self._instant("deploy", run_id, at_ns, _deployed(about, payload))

    def _recorded(self, payload: SpanFields) -> None:
        if payload.get("next") == "retry":
            self.measured(names.REWORK_ROUNDS, 1, {})
        calling = current_calling.get()
        if calling and payload.get("role") in _CHECKING:
            is_pass = payload.get("status") in ("passed", "done")
            told = {
                names.EVALUATION_NAME: payload["role"],
                names.EVALUATION_LABEL: "pass" if is_pass else "fail",
                names.EVALUATION_SCORE: float(is_pass),
                names.RUN_ID: str(payload.get("about", "")),
            }
            calling.events.append((names.EVALUATION, time.time_ns(), told))

    def _run_over(self, run: SpanFields) -> None:
        """The span of a run, by the ids that its calls named already."""
        own = run_trace(str(run["id"]))
        loop = _short(run["loop"])
        status = run["status"] if run["status"] in _STATUSES else "stopped" if run["status"] else run["state"]
        self.measured(names.RUNS_FINISHED, 1, {names.LOOP: loop, names.RUN_STATUS: status})
        attributes = {
            names.OPERATION: names.INVOKE_WORKFLOW,
            names.WORKFLOW_NAME: loop,
            names.LOOP: loop,
            names.RUN_ID: run["id"],
            names.OWNER: _short(run["principal"]),
            names.REPO: _short(run["repo_id"]),
            names.CONVERSATION_ID: _short(run["session"]),
            names.RUN_STATUS: status,
        }
        began_ns = int(run["started_at_ms"]) * 1_000_000
        ended_ns = max(began_ns, int(run["ended_at_ms"] or run["seen_at_ms"]) * 1_000_000)
        links = []
        if parent := run["parent_id"]:
            attributes[names.PARENT_RUN] = parent
            links = [self._trace.Link(self._named(run_trace(parent), is_remote=True))]
        self._keep(f"{names.INVOKE_WORKFLOW} {loop}", began_ns, ended_ns, attributes, own=own, links=links)

    def _instant(self, name: str, run_id: str, at_ns: int, attributes: SpanFields) -> None:
        told = {**attributes, **({names.RUN_ID: run_id} if run_id else {})}
        self._keep(name, at_ns, at_ns, told, parent=run_trace(run_id) if run_id else None)

    def _tell(self, calling: Calling) -> None:
        own = calling.own
        if not own.is_sampled:  # so whoever called wants it
            return
        status = None
        if error := calling.attributes.get(names.ERROR_TYPE):
            status = self._trace.Status(self._trace.StatusCode.ERROR, str(error))
        events = [self._event(name, dict(told), at_ns) for name, at_ns, told in calling.events]
        told = {"kind": self._trace.SpanKind.SERVER, "events": events, **({"status": status} if status else {})}
        self._keep(
            calling.name, calling.began_ns, time.time_ns(), calling.attributes, parent=calling.parent, own=own, **told
        )
        for name, began_ns, ended_ns, attributes in calling.parts:
            self._keep(name, began_ns, ended_ns, attributes, parent=own)

    def _keep(
        self,
        name: str,
        began_ns: int,
        ended_ns: int,
        attributes: SpanFields,
        *,
        parent: TraceParent | None = None,
        own: TraceParent | None = None,
        **told: Any,
    ) -> None:
        """A span that is over, on its way out. It is made as it is read: the SDK's own way takes thrice as long."""
        own = own or TraceParent(trace_id=parent.trace_id if parent else drawn_trace(), span_id=drawn_span())
        span = self._span(
            name,
            self._named(own, is_remote=False),
            self._named(parent, is_remote=True) if parent else None,
            self._resource,
            attributes,
            instrumentation_scope=self._scope,
            start_time=began_ns,
            end_time=ended_ns,
            **told,
        )
        self._spans.on_end(span)

    def _named(self, one: TraceParent, *, is_remote: bool) -> Any:
        trace = self._trace
        return trace.SpanContext(one.trace_id, one.span_id, is_remote, trace.TraceFlags(trace.TraceFlags.SAMPLED))


def telemetry_to(endpoint: str, headers: str) -> Telemetry | None:
    """The way to that endpoint, one a process; None where none is set, or what it needs is missing: that is said."""
    return _telemetry(endpoint, headers) if endpoint else None


def header_pairs(text: str) -> dict[str, str]:
    """`name=value,name=value`, as OTEL_EXPORTER_OTLP_HEADERS has it."""
    pairs = (part.partition("=") for part in text.split(",") if "=" in part)
    return {name.strip(): value.strip() for name, _, value in pairs}


def can_export() -> bool:
    """Whether what an export needs is installed."""
    from importlib.util import find_spec  # for `doctor`

    try:
        return bool(find_spec("opentelemetry.sdk") and find_spec("opentelemetry.exporter.otlp.proto.http"))
    except ModuleNotFoundError:
        return False


@cache
def _telemetry(endpoint: str, headers: str) -> Telemetry | None:
    try:
        return Telemetry(endpoint, headers)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        sys.stderr.write(f"loomstack-mcp: {NEEDED}\n")
        return None


class _SaidOnce(logging.Filter):
    """Lets one word through, of a collector that is away, and without what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self._is_said = False

    def filter(self, record: logging.LogRecord) -> bool:
        if self._is_said:
            return False
        self._is_said = True
        record.msg = "telemetry does not arrive at otlp_endpoint; what waits for it is dropped, and nothing else is"
        record.args, record.exc_info, record.exc_text = (), None, None
        return True


def _instruments(meters: Any) -> dict[str, Any]:
    meter = meters.get_meter(names.SCOPE, _VERSION, schema_url=names.SCHEMA_URL)
    made: dict[str, Any] = {}
    for name, (kind, unit, description) in names.METRICS.items():
        if kind == "counter":
            made[name] = meter.create_counter(name, unit, description).add
        else:
            buckets = {"explicit_bucket_boundaries_advisory": names.DURATION_BUCKETS}
            made[name] = meter.create_histogram(name, unit, description, **buckets).record
    return made


def _deployed(about: str, payload: SpanFields) -> dict[str, Any]:
    told = {
        names.DEPLOYMENT_ID: about,
        names.ENVIRONMENT: payload.get("environment"),
        names.REVISION: payload.get("sha") or payload.get("commit"),
    }
    return {name: _short(value) for name, value in told.items() if value}


def _short(value: Any) -> str:
    return str(value)[:_TEXT_CHARS_MAX]
