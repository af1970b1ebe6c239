// A widget's state as a short text for the page's address, and back: `#preset=own&layers=conv1:k3p1;conv2:k3d2&unit=4,4`.
// Only what differs from the page's own state is written. What is read is compared, computed with and drawn, never
// taken as HTML, and a widget's own `accepts` has the last word on it.

const LONGEST = 2000; // letters of an address that are worth reading
const NUMBER = /^-?\d{1,9}(\.\d+)?(e-?\d{1,2})?$/;
const TEXT = /^[\w.-]{1,40}$/;
const LAYER =
  /^(?<name>[\w,. ()-]{1,30}):k(?<kernel>\d+)(s(?<stride>\d+))?(p(?<padding>same|\d+(-\d+)?))?(d(?<dilation>\d+))?(?<ceil>c)?$/;

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// How a value is written and read; `like` tells which form a trait has.
const FORMS = [
  {
    like: (value) => typeof value === "boolean",
    write: (value) => (value ? "on" : "off"),
    read: (text) => ({ on: true, off: false })[text],
  },
  {
    like: (value) => typeof value === "number",
    write: (value) => String(Number(value.toPrecision(6))),
    read: (text) => (NUMBER.test(text) ? Number(text) : undefined),
  },
  {
    like: (value) => typeof value === "string",
    write: String,
    read: (text) => (TEXT.test(text) ? text : undefined),
  },
  {
    like: (value) => typeof value === "object" && "kernel_size" in value,
    write: writeLayer,
    read: readLayer,
  },
];

// A layer as conv1:k3s2p1d4c; stride 1, padding 0, dilation 1 and rounding down are left out.
function writeLayer({ name, kernel_size: kernel, stride, padding, dilation, ceil_mode: ceil }) {
  const parts = [
    `${name}:k${kernel}`,
    stride !== 1 && `s${stride}`,
    padding !== 0 && `p${[padding].flat().join("-")}`,
    dilation !== 1 && `d${dilation}`,
    ceil && "c",
  ];
  return parts.filter(Boolean).join("");
}

function readLayer(text) {
  const found = LAYER.exec(text)?.groups;
  if (!found) return undefined;
  const { name, kernel, stride, padding = "0", dilation, ceil } = found;
  const sides = padding.split("-").map(Number);
  const layer = {
    name,
    kernel_size: Number(kernel),
    stride: Number(stride ?? 1),
    padding: padding === "same" ? padding : sides.length === 2 ? sides : sides[0],
    dilation: Number(dilation ?? 1),
  };
  return ceil ? { ...layer, ceil_mode: true } : layer;
}

// The form of a trait, from the value that the page gives it: one of FORMS, or a list of one.
function formOf(value) {
  const item = Array.isArray(value) ? value[0] : value;
  const form = FORMS.find(({ like }) => like(item));
  if (!Array.isArray(value)) return form;
  const between = form.write === writeLayer ? ";" : ",";
  return {
    write: (items) => items.map(form.write).join(between),
    read(text) {
      const items = text === "" ? [] : text.split(between).map(form.read);
      return items.includes(undefined) ? undefined : items;
    },
  };
}

// The address of a widget whose page shows `start`: `names` are the traits that it shares.
export function addressOf(start, names, accepts) {
  // A named preset stands for its numbers.
  const base = (preset = start.preset) => {
    const numbers = Object.entries(start._presets ?? {}).find(([name]) => name === preset)?.[1] ?? {};
    const shared = names.filter((name) => name in numbers).map((name) => [name, numbers[name]]);
    return { ...start, ...Object.fromEntries(shared) };
  };

  return {
    // The address's text for a state; empty for the page's own.
    write(state) {
      const before = { ...base(state.preset), preset: start.preset };
      return names
        .filter((name) => !same(state[name], before[name]))
        .map((name) => `${name}=${formOf(start[name]).write(state[name]).replaceAll(" ", "+")}`)
        .join("&");
    },

    // The traits that an address asks for, all of them; null for one that asks for what cannot be.
    read(text) {
      const given = [...new URLSearchParams(text)];
      const found = given.map(([name, value]) => [
        name,
        names.includes(name) ? formOf(start[name]).read(value) : undefined,
      ]);
      const asked = Object.fromEntries(found);
      const twice = Object.keys(asked).length < found.length;
      if (text.length > LONGEST || twice || Object.values(asked).includes(undefined)) return null;
      const state = { ...base(asked.preset), ...asked };
      try {
        return accepts(state) ? Object.fromEntries(names.map((name) => [name, state[name]])) : null;
      } catch {
        return null;
      }
    },
  };
}
