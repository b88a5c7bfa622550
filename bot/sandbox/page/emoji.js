// The shortcodes that operations messages use; any other stays as it was written.

const EMOJI = {
  "+1": "👍", "-1": "👎", alarm_clock: "⏰", arrow_down: "⬇️", arrow_right: "➡️", arrow_up: "⬆️",
  arrows_counterclockwise: "🔄", ballot_box_with_check: "☑️", bangbang: "‼️", bell: "🔔",
  black_circle: "⚫", boom: "💥", bulb: "💡", clipboard: "📋", clock1: "🕐", construction: "🚧",
  eyes: "👀", exclamation: "❗", fire: "🔥", floppy_disk: "💾", gear: "⚙️", green_circle: "🟢",
  hammer_and_wrench: "🛠️", heavy_check_mark: "✔️", heavy_multiplication_x: "✖️", hourglass: "⌛",
  hourglass_flowing_sand: "⏳", information_source: "ℹ️", key: "🔑", large_blue_circle: "🔵",
  large_green_circle: "🟢", large_orange_circle: "🟠", large_yellow_circle: "🟡", lock: "🔒",
  mag: "🔍", memo: "📝", no_entry: "⛔", octagonal_sign: "🛑", package: "📦", pencil2: "✏️",
  pushpin: "📌", question: "❓", raised_hand: "✋", red_circle: "🔴", robot_face: "🤖",
  rocket: "🚀", rotating_light: "🚨", shield: "🛡️", stopwatch: "⏱️", tada: "🎉", thumbsup: "👍",
  unlock: "🔓", warning: "⚠️", wave: "👋", white_check_mark: "✅", white_circle: "⚪",
  wrench: "🔧", x: "❌", zap: "⚡",
};

/** The character of a shortcode, or undefined. */
export const emoji = (name) => (Object.hasOwn(EMOJI, name) ? EMOJI[name] : undefined);

export const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (code, name) => emoji(name) ?? code);
