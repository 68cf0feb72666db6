// Types the answers of sample submissions into their form, as an enumerator would, and says where the form disagrees.
//
//   node replay.mjs FOLDER     FOLDER/<form_id>/form.xml, media/*.csv and samples/*.xml
//
// Prints JSON: {"<form_id>/<sample>": ["difference", …], …}, an empty list where the form agrees.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { chance, load, parse } from "./engine.mjs";

// What no replay can give again.
const NOT_COMPARED = {
  start: "the moment the form was opened",
  end: "the moment the form was closed",
  today: "the day the form was filled",
  instanceID: "drawn anew for each instance",
  create: "a truth: JavaRosa, ODK Collect's engine, writes 1 or 0 where this engine writes true or false",
  update: "the same",
};
const TRUTHS = { true: "1", false: "0" };

// Digits of once(substr(string(10^n-1 + int(random() * 9 * 10^n-1)))) and the random() that gives them.
function drawn(digits) {
  const unit = 10 ** (digits.length - 1);
  return (Number(digits) - unit + 0.5) / (9 * unit);
}

const childrenOf = (node, name) => [...node.children].filter((child) => child.localName === name);
const textOf = (node) => (node.children.length ? "" : node.textContent);
const find = (root, name) => root.getElementsByTagName(name)[0]?.textContent;

class Enumerator {
  constructor(instance, sample) {
    this.root = instance.root;
    this.sample = sample;
    this.problems = [];
  }

  fill() {
    this.visit(this.root, this.sample);
    const violations = this.root.validationState.violations;
    this.problems.push(...violations.map((each) => `${each.reference}: ${each.violation.condition} not satisfied`));
    return this.problems;
  }

  // Children are read again after each answer: it may have made the next question appear, or a repeat grow.
  visit(parent, answers) {
    for (const node of parent.currentState.children) {
      if (!node.currentState.relevant) continue;
      const name = node.currentState.reference.split("/").pop().replace(/\[.*/, "");
      const given = childrenOf(answers, name);
      if (node.nodeType.startsWith("repeat-range")) this.repeat(node, given);
      else if (given.length !== 1) this.problems.push(`${node.currentState.reference}: asked, ${given.length} answers sent`);
      else if (node.currentState.children) this.visit(node, given[0]);
      else this.answer(node, textOf(given[0]));
    }
  }

  repeat(node, given) {
    const asked = node.currentState.children;
    if (asked.length !== given.length) {
      this.problems.push(`${node.currentState.reference}: ${asked.length} asked, ${given.length} sent`);
    }
    given.slice(0, asked.length).forEach((row, index) => this.visit(asked[index], row));
  }

  answer(node, value) {
    const { nodeType, selectType, currentState } = node;
    if (nodeType === "select") {
      const values = selectType === "select" ? value.split(" ").filter(Boolean) : [value].filter(Boolean);
      const refused = values.filter((each) => !node.getValueOption(each));
      if (refused.length) this.problems.push(`${currentState.reference}: not offered: ${refused}`);
      else node.selectValues(values);
    } else if (nodeType === "input" || nodeType === "range") {
      if (!currentState.readonly) node.setValue(value);
    } else if (nodeType === "upload") {
      node.setValue(value ? new File([], value) : null);
    }
  }
}

function compare(produced, sent, path, problems) {
  for (const { name, value } of produced.attributes) {
    const theirs = name in NOT_COMPARED ? TRUTHS[value] ?? value : value;
    if (theirs !== (sent.getAttribute(name) ?? "")) {
      problems.push(`${path}/@${name}: the form gives ${theirs}, sent ${sent.getAttribute(name)}`);
    }
  }
  const ours = [...produced.children];
  const theirs = [...sent.children];
  const names = (nodes) => nodes.map((node) => node.localName).join(" ");
  if (names(ours) !== names(theirs)) {
    problems.push(`${path}: the form gives [${names(ours)}], sent [${names(theirs)}]`);
  } else if (ours.length) {
    ours.forEach((node, index) => compare(node, theirs[index], `${path}/${node.localName}`, problems));
  } else if (!(produced.localName in NOT_COMPARED) && produced.textContent !== sent.textContent) {
    problems.push(`${path}: the form gives "${produced.textContent}", sent "${sent.textContent}"`);
  }
}

async function replay(form, xml) {
  const sample = parse(xml);
  chance.random = drawn(find(sample, "alea") ?? "100000");
  chance.uuid = find(sample, "dossier_uuid_neuf") ?? find(sample, "osc_uuid_neuf") ?? chance.uuid;
  const user = { deviceID: find(sample, "deviceid"), username: find(sample, "username") };
  const instance = form.createInstance({ preloadProperties: user });
  const problems = new Enumerator(instance, sample).fill();
  const payload = await instance.root.prepareInstancePayload({ payloadType: "monolithic" });
  const produced = parse(await payload.data[0].get("xml_submission_file").text());
  compare(produced, sample, "", problems);
  return problems;
}

const folder = process.argv[2];
const results = {};
for (const formId of readdirSync(folder)) {
  const form = await load(join(folder, formId));
  for (const sample of readdirSync(join(folder, formId, "samples")).sort()) {
    const xml = readFileSync(join(folder, formId, "samples", sample), "utf8");
    results[`${formId}/${sample}`] = await replay(form, xml);
  }
}
process.stdout.write(JSON.stringify(results));
