/* What /openapi.json says, for people: each API with its fields, its answers, and an example of each status. */

import { byId, element, start } from "./common.js";
import { t } from "./texts.js";

/**
 * @typedef {object} Schema
 * @property {string} [$ref]
 * @property {string} [type]
 * @property {string} [title]
 * @property {string} [description]
 * @property {(string | number)[]} [enum]
 * @property {string | number} [const]
 * @property {Schema} [items]
 * @property {Schema[]} [anyOf]
 * @property {Record<string, Schema>} [properties]
 * @property {string[]} [required]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {number} [minLength]
 * @property {number} [maxLength]
 *
 * @typedef {{ summary: string, value: object }} Example
 * @typedef {{ schema?: Schema, example?: object, examples?: Record<string, Example> }} Content
 * @typedef {{ name: string, required: boolean, description: string, schema: Schema, example: unknown }} Parameter
 *
 * @typedef {object} Operation
 * @property {string} operationId
 * @property {string[]} tags
 * @property {string} summary
 * @property {Parameter[]} [parameters]
 * @property {{ content: Record<string, Content> }} [requestBody]
 * @property {Record<string, { content?: Record<string, Content> }>} responses
 *
 * @typedef {object} Description
 * @property {{ description: string }} info
 * @property {{ name: string }[]} tags
 * @property {Record<string, Record<string, Operation>>} paths
 * @property {{ schemas: Record<string, Schema> }} components
 */

const JSON_TYPE = "application/json";
const HEAD = ["access", "status", "desc"]; // of every answer

/** @type {Record<string, Schema>} */
let schemas = {};

/** @param {Schema} schema */
function resolved(schema) {
  return schema.$ref ? (schemas[schema.$ref.split("/").pop() ?? ""] ?? schema) : schema;
}

/**
 * A text in which `...` is code.
 * @param {string} text
 */
function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

/** @param {Schema} schema */
function kind(schema) {
  if (schema.items) return `${resolved(schema.items).type ?? ""}[]`;
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const [low, high] = schema.type === "string" ? [schema.minLength, schema.maxLength] : [schema.minimum, schema.maximum];
  const limits = low || high !== undefined ? ` ${low ?? 0}–${high ?? ""}` : "";
  return `${schema.type ?? ""}${limits}`;
}

/**
 * @param {Schema} schema of an object
 * @param {string[]} [without]
 * @returns {HTMLElement}
 */
function fields(schema, without = []) {
  const named = Object.entries(schema.properties ?? {}).filter(([name]) => !without.includes(name));
  return element("dl", { className: "fields" }, ...named.map(([name, each]) => row(name, each, schema)));
}

/**
 * @param {string} name
 * @param {Schema} field
 * @param {Schema} owner
 */
function row(name, field, owner) {
  const term = element("dt", {}, element("code", {}, name));
  const isAsked = owner.required && !owner.properties?.access; // an answer has all of its fields
  if (isAsked && owner.required?.includes(name)) term.append(" ", element("span", { className: "needed" }, t("apiNeeded")));
  term.append(element("span", { className: "kind" }, kind(field)));
  const about = element("dd", {}, ...prose(field.description ?? ""));
  const part = resolved(field.items ?? field);
  if (part.properties) {
    const title = element("summary", {}, element("code", {}, part.title ?? ""));
    about.append(element("details", {}, title, fields({ ...part, required: undefined })));
  }
  return element("div", {}, term, about);
}

/** @param {unknown} value */
function code(value) {
  return element("pre", {}, typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

/**
 * @param {string} path
 * @param {Operation} operation
 */
function question(path, operation) {
  const content = operation.requestBody?.content[JSON_TYPE];
  if (content?.schema) {
    const asked = resolved(content.schema);
    const body = JSON.stringify(content.example).replaceAll("'", "'\\''");
    const about = asked.description ? [element("p", {}, ...prose(asked.description))] : [];
    return [...about, fields(asked), code(`curl ${location.origin}${path} -d '${body}'`)];
  }
  const parameters = operation.parameters ?? [];
  const properties = Object.fromEntries(
    parameters.map(({ name, schema, description }) => [name, { ...schema, description }]),
  );
  const required = parameters.filter((each) => each.required).map((each) => each.name);
  const query = parameters.map(({ name, example }) => `${name}=${example}`).join("&");
  return [fields({ properties, required }), code(`curl '${location.origin}${path}?${query}'`)];
}

/** @param {Operation} operation */
function answers(operation) {
  const content = operation.responses["200"]?.content ?? {};
  const pictures = Object.keys(content).filter((type) => type !== JSON_TYPE);
  const { schema, examples = {} } = content[JSON_TYPE] ?? {};
  const done = (schema?.anyOf ?? [])
    .filter((each) => !each.properties)
    .map(resolved)
    .filter((each) => Object.keys(each.properties ?? {}).length > HEAD.length)
    .flatMap((each) => [element("p", { className: "soft" }, ...prose(each.description ?? "")), fields(each, HEAD)]);
  const shown = Object.entries(examples).map(([status, { summary, value }]) =>
    element(
      "details",
      {},
      element("summary", {}, element("code", {}, status), element("span", {}, ...prose(summary))),
      code(value),
    ),
  );
  return [...(pictures.length ? [element("p", {}, pictures.join(", "))] : []), ...done, ...shown];
}

/**
 * @param {string} path
 * @param {string} method
 * @param {Operation} operation
 */
function entry(path, method, operation) {
  const summary = element(
    "summary",
    {},
    element("code", {}, `${method.toUpperCase()} ${path}`),
    element("span", {}, ...prose(operation.summary)),
  );
  const made = element("details", { id: operation.operationId, className: "api" }, summary);
  // What most people never open is drawn when they do.
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) {
      made.append(element("h3", {}, t("apiAsked")), ...question(path, operation));
      made.append(element("h3", {}, t("apiAnswer")), ...answers(operation));
    }
  });
  return made;
}

/** @param {Description} described */
function draw(described) {
  schemas = described.components.schemas;
  byId("api-about").replaceChildren(
    ...described.info.description.split("\n\n").map((each) => element("p", {}, ...prose(each))),
  );
  const operations = Object.entries(described.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  byId("apis").replaceChildren(
    ...described.tags.map(({ name }) =>
      element(
        "section",
        {},
        element("h2", {}, name),
        ...operations
          .filter(({ operation }) => operation.tags[0] === name)
          .map(({ path, method, operation }) => entry(path, method, operation)),
      ),
    ),
  );
}

/** Shows what the field has in its name or its line. */
function filter() {
  const wanted = byId("api-filter").value.trim().toLowerCase();
  let found = 0;
  for (const section of byId("apis").querySelectorAll("section")) {
    /** @type {NodeListOf<HTMLDetailsElement>} */
    const entries = section.querySelectorAll("details.api");
    for (const each of entries) each.hidden = !(each.firstElementChild?.textContent ?? "").toLowerCase().includes(wanted);
    const shown = [...entries].filter((each) => !each.hidden).length;
    section.hidden = shown === 0;
    found += shown;
  }
  byId("api-message").textContent = found ? "" : t("apiNone");
}

/** Opens the one that the address names. */
function follow() {
  const named = document.getElementById(location.hash.slice(1));
  if (!(named instanceof HTMLDetailsElement)) return;
  named.open = true;
  named.scrollIntoView();
}

async function show() {
  try {
    const answer = await fetch("/openapi.json");
    if (!answer.ok) throw new Error(t("failed"));
    draw(await answer.json());
  } catch {
    byId("api-message").textContent = t("failed");
    return;
  }
  follow();
}

byId("api-filter").addEventListener("input", filter);
window.addEventListener("hashchange", follow);
start();
show();
