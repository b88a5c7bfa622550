// plan and task_card blocks: what is being done, step by step. A status is always a word, never only a colour.

import { h, icon } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { link } from "./inline.js";
import { richText } from "./richtext.js";

const STATUS = {
  pending: { word: "Pending", icon: "circle" },
  in_progress: { word: "In progress", icon: "spinner" },
  complete: { word: "Complete", icon: "check" },
  error: { word: "Error", icon: "cross" },
};

const titleOf = (title) => withEmoji(typeof title === "string" ? title : (title?.text ?? ""));

export function plan(block) {
  const tasks = block.tasks ?? [];
  const finished = tasks.filter((task) => task.status === "complete").length;
  return h("section", { class: "plan", "aria-label": titleOf(block.title) },
    h("header", { class: "plan-title" },
      h("span", {}, titleOf(block.title)),
      h("span", { class: "plan-count" }, `${finished} of ${tasks.length}`),
    ),
    h("ol", { class: "plan-tasks" }, tasks.map((task) => h("li", {}, taskCard(task)))),
  );
}

export function taskCard(task) {
  const status = STATUS[task.status];
  if (!status) throw new Error(`“${task.status}” is not a task status`);
  return h("div", { class: `task task-${task.status}`, "data-status": task.status },
    icon(status.icon),
    h("div", { class: "task-body" },
      h("div", { class: "task-title" },
        h("span", {}, titleOf(task.title)),
        h("span", { class: "task-status" }, status.word),
      ),
      task.details && richText(task.details),
      task.output &&
        h("details", { "data-key": `output-${task.task_id}`, open: task.status === "error" },
          h("summary", {}, "Output"),
          richText(task.output),
        ),
      task.sources?.length &&
        h("p", { class: "task-sources" }, task.sources.map((source) => [link(source.url, source.text), " "])),
    ),
  );
}
