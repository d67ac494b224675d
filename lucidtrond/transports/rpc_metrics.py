"""Numbers as Prometheus reads them (text format 0.0.4)."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from attrs import Factory, frozen

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@frozen
class Metric:
    """One family: its samples by their labels."""

    name: str
    kind: Literal["counter", "gauge"]
    text: str
    value: float | None = None
    """The only sample, without labels."""
    samples: Mapping[tuple[tuple[str, str], ...], float] = Factory(dict)


def encode_metrics(metrics: Iterable[Metric]) -> bytes:
    """Write all families, in their order."""
    lines: list[str] = []
    for metric in metrics:
        samples = dict(metric.samples)
        if metric.value is not None:
            samples[()] = metric.value
        if not samples:
            continue
        lines.append(f"# HELP {metric.name} {_help(metric.text)}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        for labels, value in samples.items():
            inner = ",".join(f'{name}="{_label(text)}"' for name, text in labels)
            lines.append(
                f"{metric.name}{{{inner}}} {value!r}"
                if inner
                else f"{metric.name} {value!r}"
            )
    return ("\n".join(lines) + "\n").encode()


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _label(text: str) -> str:
    return _help(text).replace('"', '\\"')
