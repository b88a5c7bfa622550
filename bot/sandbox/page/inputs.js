// Input blocks of a modal: text, numbers, selects, radio buttons, checkboxes; and their values in Slack's form.

import { errorBox, textOf } from "./blocks.js";
import { h } from "./dom.js";
import { store } from "./store.js";

const CONTROLS = {
  plain_text_input: (element) =>
    h(element.multiline ? "textarea" : "input", {
      class: "text-input",
      placeholder: element.placeholder?.text,
      maxlength: element.max_length,
      value: element.multiline ? undefined : element.initial_value,
    }, element.multiline ? (element.initial_value ?? "") : null),
  number_input: (element) =>
    h("input", { class: "text-input", type: "number", step: element.is_decimal_allowed ? "any" : "1", value: element.initial_value }),
  static_select: (element) => select(optionsOf(element), element.initial_option?.value, element.placeholder?.text),
  users_select: (element) =>
    select(store.people.map(({ id, handle }) => ({ value: id, label: handle })), element.initial_user, element.placeholder?.text),
  channels_select: (element) =>
    select(store.state.channels.map(({ id, name }) => ({ value: id, label: `#${name}` })), element.initial_channel),
  radio_buttons: (element) => choices(element, "radio", [element.initial_option]),
  checkboxes: (element) => choices(element, "checkbox", element.initial_options ?? []),
};

let count = 0;

export function inputBlock(block) {
  const { element } = block;
  if (!Object.hasOwn(CONTROLS, element.type)) return errorBox("element", element);
  const id = `input-${(count += 1)}`;
  const control = CONTROLS[element.type](element);
  const isGroup = control.localName === "div";
  control.id = id;
  control.setAttribute(isGroup ? "aria-labelledby" : "aria-describedby", isGroup ? `${id}-label` : `${id}-about`);
  if (!block.optional && !isGroup) control.required = true;
  const field = h("div", { class: "input-block", "data-block": block.block_id },
    h("label", { for: isGroup ? null : id, id: `${id}-label` }, textOf(block.label), block.optional && " (optional)"),
    control,
    h("small", { id: `${id}-about` }, block.hint && textOf(block.hint)),
  );
  field.reading = { block_id: block.block_id, action_id: element.action_id, read: () => READERS[element.type](control, element) };
  return field;
}

/** `{block_id: {action_id: value}}` of a form, as view.state.values has it. */
export function readValues(form) {
  const fields = [...form.querySelectorAll(".input-block")].map((field) => field.reading);
  return Object.fromEntries(
    fields.map(({ block_id, action_id, read }) => [block_id, { [action_id]: read() }]),
  );
}

const text = (control, { type }) => ({ type, value: control.value || null });
const optionBy = (element, value) => optionsOf(element).find((option) => option.value === value)?.option ?? null;
const ticked = (control) => [...control.querySelectorAll("input:checked")].map((input) => input.value);

const READERS = {
  plain_text_input: text,
  number_input: text,
  static_select: (control, element) => ({ type: element.type, selected_option: optionBy(element, control.value) }),
  users_select: (control, { type }) => ({ type, selected_user: control.value || null }),
  channels_select: (control, { type }) => ({ type, selected_channel: control.value || null }),
  radio_buttons: (control, element) => ({ type: element.type, selected_option: optionBy(element, ticked(control)[0]) }),
  checkboxes: (control, element) => ({
    type: element.type,
    selected_options: ticked(control).map((value) => optionBy(element, value)),
  }),
};

function optionsOf(element) {
  const all = element.options ?? element.option_groups.flatMap((group) => group.options);
  return all.map((option) => ({ value: option.value, label: option.text.text, option }));
}

function select(options, initial, placeholder = "Choose…") {
  return h("select", { class: "text-input" },
    h("option", { value: "" }, placeholder),
    options.map(({ value, label }) => h("option", { value, selected: value === initial }, label)),
  );
}

function choices(element, type, initial) {
  const group = `choice-${(count += 1)}`;
  const chosen = new Set(initial.filter(Boolean).map((option) => option.value));
  return h("div", { role: type === "radio" ? "radiogroup" : "group", class: "choices" },
    optionsOf(element).map(({ value, label }) =>
      h("label", {}, h("input", { type, name: group, value, checked: chosen.has(value) }), " ", label)),
  );
}
