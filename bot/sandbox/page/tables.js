// The `table` and `data_table` blocks.

import { h } from "./dom.js";
import { plural } from "./format.js";
import { richText } from "./richtext.js";

const CELLS = {
  raw_text: (cell) => cell.text,
  raw_number: (cell) => cell.text ?? String(cell.value),
  rich_text: richText,
};

function cellContent(cell) {
  if (!Object.hasOwn(CELLS, cell.type)) throw new Error(`“${cell.type}” is not a table cell that this page knows`);
  return CELLS[cell.type](cell);
}

/** `columns` are column_settings; column `heads` (if any) holds the row headers. */
function grid({ rows, columns = [], heads, caption, pageSize = Infinity }) {
  const row = (cells, isHead, hidden) =>
    h("tr", { hidden }, cells.map((cell, column) => {
      const align = columns[column]?.align ?? (cell.type === "raw_number" ? "right" : "left");
      const wrap = columns[column]?.is_wrapped ? " wrapped" : "";
      const scope = isHead ? "col" : column === heads ? "row" : undefined;
      return h(scope ? "th" : "td", { scope, class: `align-${align}${wrap}` }, cellContent(cell));
    }));
  const [head, ...body] = rows;
  const bodyRows = body.map((cells, index) => row(cells, false, index >= pageSize));
  const table = h("table", {},
    caption && h("caption", {}, caption),
    h("thead", {}, row(head, true)),
    h("tbody", {}, bodyRows),
  );
  const label = caption ?? "Table";
  const scroller = h("div", { class: "table-scroll", tabindex: "0", role: "group", "aria-label": label }, table);
  if (body.length <= pageSize) return scroller;
  const more = h("button", { type: "button", class: "link-button" }, `Show all ${plural(body.length, "row")}`);
  more.addEventListener("click", () => {
    for (const hidden of bodyRows) hidden.hidden = false;
    more.remove();
  });
  return h("div", {}, scroller, more);
}

export const table = (block) => grid({ rows: block.rows, columns: block.column_settings ?? [] });

/** A column with figures is aligned to the right, its header and gaps included. */
export function dataTable(block) {
  const [head = [], ...body] = block.rows;
  const hasFigures = (column) => body.some((row) => row[column]?.type === "raw_number");
  return grid({
    rows: block.rows,
    columns: head.map((_, column) => ({ align: hasFigures(column) ? "right" : "left" })),
    heads: block.row_header_column_index ?? 0,
    caption: block.caption,
    pageSize: block.page_size,
  });
}
