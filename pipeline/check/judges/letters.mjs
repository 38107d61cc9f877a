// Asks a judge that npm carries about the HTML of letters.
//
// Arguments: JUDGE NODE_MODULES HTML...
// Output: for each objection to the file with number N (from 0) a line "N tab finding", and the line
// "N tab" once file N is judged to the end. A file without that line has no verdict.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [judge, modules, ...files] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(createRequire(`${modules}/`).resolve(name)));

// The programs that most people read mail with and that are still made.
const CLIENTS = [
  "apple-mail.ios", "apple-mail.macos", "gmail.android", "gmail.desktop-webmail", "gmail.ios",
  "outlook.android", "outlook.ios", "outlook.macos", "outlook.outlook-com", "outlook.windows",
  "yahoo.android", "yahoo.desktop-webmail", "yahoo.ios",
];

// What no letter can do without, and who ignores it: the body becomes a div, a name goes unread, and
// a picture keeps its height. Nine pairs of a feature and a program, and no tenth.
const BORNE = {
  "<body> element": ["outlook.macos", "yahoo.android", "yahoo.ios"],
  "aria-label attribute": ["yahoo.android", "yahoo.desktop-webmail", "yahoo.ios"],
  "height property": ["yahoo.android", "yahoo.desktop-webmail", "yahoo.ios"],
};

// What a program still has of a letter once it has taken the style elements away.
const reduceToBase = (html) =>
  html
    .replace(/<!--\[if[^]*?<!\[endif\]-->/g, "")
    .replace(/<style[^]*?<\/style>/g, "")
    .replace(/<meta[^>]*color-scheme[^>]*>/g, "");

// One program a call, since caniemail throws when it has no data on one of several. A feature counts
// once for a program, however often the letter uses it.
async function findUnsupported() {
  const { caniemail } = await load("caniemail");
  const list = (client, html) => {
    try {
      const found = caniemail({ clients: [client], html }).issues.errors.get(client) ?? [];
      return new Set(found.map((issue) => issue.title));
    } catch (error) {
      return [`(cannot be judged: ${error.message})`];
    }
  };
  return (html) => {
    const base = reduceToBase(html);
    const without = {};
    for (const client of CLIENTS) {
      for (const feature of list(client, base)) {
        if (!BORNE[feature]?.includes(client)) (without[feature] ??= []).push(client);
      }
    }
    return Object.entries(without).map(
      ([feature, clients]) => `${feature} is not supported by ${clients.join(", ")}`,
    );
  };
}

// Mail needs what pages should not have: styles in the element, comments and attributes for Outlook,
// roles on a div where an article would clash with the landmarks of the webmail around it.
const MAIL_PROFILE = {
  extends: ["html-validate:recommended", "html-validate:document"],
  rules: {
    "doctype-style": "off",
    "long-title": ["error", { maxlength: 78 }],
    "no-conditional-comment": "off",
    "no-deprecated-attr": "off",
    "no-inline-style": "off",
    "no-redundant-role": "off",
    "prefer-native-element": "off",
  },
};

async function findInvalid() {
  const { HtmlValidate, StaticConfigLoader } = await load("html-validate");
  const validator = new HtmlValidate(new StaticConfigLoader(MAIL_PROFILE));
  return (html) =>
    validator
      .validateStringSync(html)
      .results.flatMap((result) => result.messages)
      .map((found) => `body.html:${found.line}: ${found.ruleId}: ${found.message}`);
}

const say = (number, finding) => console.log(`${number}\t${finding.replace(/\s+/g, " ")}`);

const judges = { caniemail: findUnsupported, "html-validate": findInvalid };
const ask = await judges[judge]();
files.forEach((file, number) => {
  try {
    ask(readFileSync(file, "utf8")).forEach((finding) => say(number, finding));
  } catch (error) {
    say(number, `cannot be judged: ${error}`);
  }
  say(number, "");
});
