// Dark or light theme: that of the system, unless chosen with the button. Provides the colours for canvases.

const KEY = "monitor.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();
let colours = null;

const chosen = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};

const isDark = () => (chosen() ?? (system.matches ? "dark" : "light")) === "dark";

function show() {
  const choice = chosen();
  if (choice) document.documentElement.dataset.theme = choice;
  const button = document.getElementById("theme");
  const other = isDark() ? "Light" : "Dark";
  if (button) button.querySelector("span").textContent = other;
  button?.setAttribute("aria-label", `${other} theme`);
  colours = null;
  for (const listener of listeners) listener();
}

/** Calls `listener` whenever the colours change. */
export const onTheme = (listener) => listeners.add(listener);

/** The resolved colours of the theme, by their names in tokens.css, for canvases. */
export function palette() {
  if (colours) return colours;
  const probe = document.createElement("span");
  probe.style.forcedColorAdjust = "none";
  document.body.append(probe);
  colours = {};
  for (const name of ["agent", "caller", "both", "normal", "line", "ink2", "ink3", "info", "warn", "crit", "ok", "panel"]) {
    probe.style.color = `var(--${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return colours;
}

document.getElementById("theme").addEventListener("click", () => {
  try {
    localStorage.setItem(KEY, isDark() ? "light" : "dark");
  } catch {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  }
  show();
});
system.addEventListener("change", show);
show();
