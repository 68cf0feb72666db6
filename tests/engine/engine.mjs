// ODK Web Forms' engine outside a browser, with its chance in our hands.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { JSDOM } from "jsdom";

const BROWSER = ["DOMParser", "Document", "Element", "Node", "XMLSerializer", "XPathResult", "document", "localStorage"];

const { window } = new JSDOM("", { url: "http://localhost" });
for (const name of BROWSER) {
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true });
}
globalThis.window = window;
globalThis.__dirname = import.meta.dirname;
globalThis.require = createRequire(import.meta.url);

// What random() and uuid() give next; the engine keeps the functions it finds when it is imported.
export const chance = { random: 0.5, uuid: "00000000-0000-4000-8000-000000000000" };
Math.random = () => chance.random;

const { loadForm } = await import("@getodk/xforms-engine");
crypto.randomUUID = () => chance.uuid;

export const parse = (xml) => new DOMParser().parseFromString(xml, "text/xml").documentElement;

// A form from its folder: form.xml, and the lists it reads in media/.
export async function load(folder) {
  const media = (url) => readFileSync(join(folder, "media", String(url).split("/").pop()));
  const form = await loadForm(readFileSync(join(folder, "form.xml"), "utf8"), {
    fetchFormAttachment: async (url) => new Response(media(url)),
  });
  if (form.status === "failure") throw form.error;
  return form;
}
