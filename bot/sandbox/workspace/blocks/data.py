"""Blocks of data: tables, charts, plans and tasks."""

from bot.sandbox.workspace.blocks.report import Report
from bot.sandbox.workspace.wire import Wire, as_object, as_objects

_TABLE_CELLS = frozenset({"raw_text", "raw_number", "rich_text"})
_TASK_STATES = frozenset({"pending", "in_progress", "complete", "error"})
_CHARTS = frozenset({"line", "bar", "area", "pie"})
_ROWS = 100
_COLUMNS = 20
_SERIES = 6
_POINTS = 20


def table(block: Wire, pointer: str, report: Report) -> None:
    """At most 100 rows of 20 cells."""
    _rows(block, pointer, report)


def data_table(block: Wire, pointer: str, report: Report) -> None:
    """A captioned table of at most 100 rows of 20 cells, all rows equally long."""
    report.string(block, "caption", pointer, most=3_000)
    widths = _rows(block, pointer, report)
    if len(widths) > 1:
        report.fault("all rows must have the same number of cells", f"{pointer}/rows")


def data_visualization(block: Wire, pointer: str, report: Report) -> None:
    """A titled chart: a pie of segments, or up to six series of 20 points."""
    report.string(block, "title", pointer, most=50)
    chart = as_object(block.get("chart"))
    place = f"{pointer}/chart"
    report.choice(chart, "type", place, _CHARTS)
    if chart.get("type") == "pie":
        for segment_place, segment in report.objects(chart, "segments", place, most=_POINTS):
            _point(segment, segment_place, report)
        return
    categories = as_object(chart.get("axis_config")).get("categories")
    if not isinstance(categories, list):
        report.fault("missing required field: categories", f"{place}/axis_config")
        categories = []
    for series_place, series in report.objects(chart, "series", place, most=_SERIES):
        report.string(series, "name", series_place, most=75)
        points = report.objects(series, "data", series_place, most=_POINTS)
        if [point.get("label") for _, point in points] != categories:
            report.fault("labels must match axis_config.categories", f"{series_place}/data")
        for point_place, point in points:
            _point(point, point_place, report)
    names = [series.get("name") for series in as_objects(chart.get("series"))]
    if len(set(map(str, names))) != len(names):
        report.fault("series names must be unique", f"{place}/series")


def plan(block: Wire, pointer: str, report: Report) -> None:
    """A titled list of at most 50 tasks."""
    report.string(block, "title", pointer, most=256)
    if "tasks" in block:
        for place, task in report.objects(block, "tasks", pointer, most=50):
            task_card(task, place, report)


def task_card(block: Wire, pointer: str, report: Report) -> None:
    """One task with its state; `details` and `output` are rich text that is not empty."""
    report.string(block, "task_id", pointer, most=255)
    report.string(block, "title", pointer, most=256)
    report.choice(block, "status", pointer, _TASK_STATES, required=False)
    for key in ("details", "output"):
        if key in block:
            value = as_object(block[key])
            if value.get("type") != "rich_text" or not value.get("elements"):
                report.fault("must be rich_text that is not empty", f"{pointer}/{key}")


def _rows(block: Wire, pointer: str, report: Report) -> set[int]:
    widths: set[int] = set()
    for index, row in enumerate(report.items(block, "rows", pointer, most=_ROWS)):
        place = f"{pointer}/rows/{index}"
        if not isinstance(row, list):
            report.fault("must be a list of cells", place)
            continue
        widths.add(len(row))
        if not 1 <= len(row) <= _COLUMNS:
            report.fault(f"must have 1 to {_COLUMNS} cells", place)
        for column, cell in enumerate(row[:_COLUMNS]):
            _cell(cell, f"{place}/{column}", report)
    return widths


def _cell(cell: object, pointer: str, report: Report) -> None:
    body = as_object(cell)
    report.choice(body, "type", pointer, _TABLE_CELLS)
    if body.get("type") == "raw_text":
        report.string(body, "text", pointer, most=3_000)
    elif body.get("type") == "raw_number":
        _number(body, pointer, report)
    elif body.get("type") == "rich_text" and not body.get("elements"):
        report.fault("missing required field: elements", pointer)


def _point(point: Wire, pointer: str, report: Report) -> None:
    report.string(point, "label", pointer, most=75)
    _number(point, pointer, report)


def _number(holder: Wire, pointer: str, report: Report) -> None:
    value = holder.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        report.fault("must be a number", f"{pointer}/value")
