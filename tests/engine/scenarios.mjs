// Types scenarios into their forms, as an enumerator would, and tells what the forms said to each step.
//
//   node scenarios.mjs FOLDER     FOLDER/<form_id>/form.xml, media/*.csv and scenarios.json
//
// scenarios.json: {"<scenario>": [{"act": "type" | "look" | "send", "name", "position", "answer"}, …], …}
// Prints JSON: {"<form_id>": {"<scenario>": [what each step showed, …]}}. It judges nothing: Python does.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { load, parse } from "./engine.mjs";

const nameOf = (node) => node.currentState.reference.split("/").pop().replace(/\[.*/, "");
const isRepeat = (node) => node.nodeType.startsWith("repeat-range");
const isRow = (node) => node.nodeType === "repeat-instance";
const inItsRow = (reference) => reference.replace(/.*?(\[\d+\])?\/(\w+)$/, (_, row, name) => (row ? `${name} ${row}` : name));
const find = (root, name) => root.getElementsByTagName(name)[0];

function* walk(node) {
  for (const child of node.currentState.children ?? []) {
    yield child;
    yield* walk(child);
  }
}

// The outermost question or group because of which this one is not asked.
function skipper(node) {
  let outermost = null;
  for (let each = node; each?.currentState; each = each.parent) {
    if (!each.currentState.relevant) outermost = each;
  }
  return outermost && nameOf(outermost);
}

class Enumerator {
  constructor(form) {
    this.root = form.createInstance({ preloadProperties: { deviceID: "essai", username: "essai" } }).root;
    this.seen = new Set();
  }

  async step({ act, name, position, answer }) {
    if (act === "send") return this.send();
    const node = [...walk(this.root)].filter((each) => !isRow(each) && nameOf(each) === name)[position - 1];
    if (!node) return { missing: true };
    if (!node.currentState.relevant) return { skipper: skipper(node) };
    return act === "type" ? this.type(node, answer) : this.look(node);
  }

  look(node) {
    if (isRepeat(node)) return { times: node.currentState.children.length };
    const { instanceValue, label, valueOptions } = node.currentState;
    const offers = valueOptions?.map(({ value }) => value);
    return { value: instanceValue ?? null, label: label?.asString.trim(), offers };
  }

  type(node, answer) {
    const shown = { readonly: node.currentState.readonly, blank: this.blank(node) };
    shown.offered = this.set(node, answer);
    return { ...shown, value: node.currentState.instanceValue, refusal: this.refusal(node) };
  }

  // What the form says when a question it requires is passed over, the first time it is met.
  blank(node) {
    const { reference, required } = node.currentState;
    if (!required || this.seen.has(reference)) return null;
    this.seen.add(reference);
    this.set(node, "");
    return this.refusal(node);
  }

  refusal(node) {
    const violated = () => node.validationState.violation;
    const says = () => violated().message?.asString;
    return violated() && { condition: violated().condition, ...this.inBothLanguages(says) };
  }

  inBothLanguages(say) {
    const [french, arabic] = ["(fr)", "(ar)"].map((code) =>
      this.root.languages.find(({ language }) => language.endsWith(code)),
    );
    const fr = say();
    this.root.setLanguage(arabic);
    const ar = say();
    this.root.setLanguage(french);
    return { fr, ar };
  }

  // A choice is typed by its code, or by the beginning of its label. Tells whether it was offered.
  set(node, answer) {
    if (node.nodeType === "upload") node.setValue(answer ? new File([], answer) : null);
    else if (node.nodeType !== "select") node.setValue(answer);
    else {
      const words = node.selectType === "select" ? answer.split(" ").filter(Boolean) : [answer].filter(Boolean);
      const offered = words.map((word) => this.choice(node, word));
      if (offered.includes(undefined)) return false;
      node.selectValues(offered);
    }
    return true;
  }

  choice(node, word) {
    const { valueOptions } = node.currentState;
    const said = (option) => option.value === word || option.label.asString.startsWith(word);
    return valueOptions.find(said)?.value;
  }

  async send() {
    const payload = await this.root.prepareInstancePayload({ payloadType: "monolithic" });
    const xml = await payload.data[0].get("xml_submission_file").text();
    const sent = parse(xml);
    const entity = find(sent, "entity");
    return {
      xml,
      violations: this.root.validationState.violations.map(({ reference }) => inItsRow(reference)),
      instanceName: find(sent, "instanceName")?.textContent,
      entity: entity && {
        ...Object.fromEntries([...entity.attributes].map(({ name, value }) => [name, value])),
        label: find(entity, "label")?.textContent,
      },
    };
  }
}

async function play(form, steps) {
  const enumerator = new Enumerator(form);
  const shown = [];
  for (const step of steps) {
    shown.push(await enumerator.step(step).catch((error) => ({ error: String(error) })));
  }
  return shown;
}

const folder = process.argv[2];
const results = {};
for (const formId of readdirSync(folder)) {
  const form = await load(join(folder, formId));
  results[formId] = {};
  const scenarios = JSON.parse(readFileSync(join(folder, formId, "scenarios.json"), "utf8"));
  for (const [title, steps] of Object.entries(scenarios)) results[formId][title] = await play(form, steps);
}
process.stdout.write(JSON.stringify(results));
