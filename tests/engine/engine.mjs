// ODK Web Forms' engine outside a browser: what it expects of one, then the engine itself.
import { createRequire } from "node:module";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("", { url: "http://localhost/" });
const BROWSER = ["Document", "DOMParser", "Element", "File", "Blob", "Node", "XMLSerializer", "XPathResult", "localStorage", "document", "window"];
for (const name of BROWSER) {
  Object.defineProperty(globalThis, name, { value: name === "window" ? window : window[name], configurable: true });
}
globalThis.__dirname = import.meta.dirname;
globalThis.require = createRequire(import.meta.url);

const engine = await import("@getodk/xforms-engine");
export const { loadForm, constants } = engine;
export { window };
