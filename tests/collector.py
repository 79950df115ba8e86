"""A collector of OTLP on loopback: what servers export arrives here, as protobuf, and is read as OTLP's own JSON is."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.deadlines import wait_until


class Collector:
    """What came, by name."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Every span, its attributes by name."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        found = []
        for body in (body for path, _, body in tuple(self.bodies) if path == "/v1/traces"):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for span in (span for scope in resource.scope_spans for span in scope.spans):
                    found.append(
                        {
                            "name": span.name, "kind": span.kind, "id": span.span_id.hex(),
                            "trace": span.trace_id.hex(), "failed": span.status.code == 2,
                            "parent": span.parent_span_id.hex(), "attributes": _attributes(span.attributes),
                            "ms": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
                            "events": {event.name: _attributes(event.attributes) for event in span.events},
                        }
                    )  # fmt: skip
        return found

    @property
    def metrics(self) -> dict[str, list[tuple[dict[str, Any], float]]]:
        """The last word of each metric: by attributes, the sum or the count."""
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        found: dict[str, list[tuple[dict[str, Any], float]]] = {}
        for body in (body for path, _, body in tuple(self.bodies) if path == "/v1/metrics"):
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                    points = metric.histogram.data_points or metric.sum.data_points
                    found[metric.name] = [
                        (_attributes(one.attributes), getattr(one, "count", 0) or getattr(one, "as_int", 0))
                        for one in points
                    ]
        return found

    def span(self, name: str) -> dict[str, Any]:
        """The one span of a name, once it has come."""
        wait_until(lambda: any(span["name"] == name for span in self.spans), 10)
        [found] = [span for span in self.spans if span["name"] == name]
        return found


@contextmanager
def collector() -> Iterator[Collector]:
    """One that listens."""

    class Taking(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            one.bodies.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        server.daemon_threads = True
        one = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield one
        server.shutdown()


def _attributes(told: Any) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in told}


def _value(told: Any) -> Any:
    kind = told.WhichOneof("value")
    return [_value(one) for one in told.array_value.values] if kind == "array_value" else getattr(told, kind)
