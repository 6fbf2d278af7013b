import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

interface Manifest {
  version: string;
  contributes: {
    commands: { command: string }[];
    menus: Record<string, { command: string }[]>;
    views: { pynvme: { icon: string }[] };
    configuration: {
      properties: Record<string, { markdownDescription?: string; default: unknown }>;
    };
    grammars: { path: string }[];
    snippets: { path: string }[];
    viewsWelcome: { contents: string }[];
  };
}

// The tests are started in the extension's folder.
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const source = (name: string): string => readFileSync(`src/${name}.ts`, "utf8");

test("every command of the manifest is registered", () => {
  const registered = source("extension") + source("vs/logCommands");

  const missing = manifest.contributes.commands.filter(
    ({ command }) => !registered.includes(`"${command}":`),
  );

  assert.deepEqual(missing, []);
});

test("menus and welcome texts name commands that there are", () => {
  const known = new Set(manifest.contributes.commands.map(({ command }) => command));
  const menus = Object.values(manifest.contributes.menus)
    .flat()
    .map((each) => each.command);
  const texts = manifest.contributes.viewsWelcome.map((each) => each.contents).join();
  const links = [...texts.matchAll(/command:(pynvme\.\w+)/g)].map((match) => match[1]);

  const strange = [...menus, ...links].filter((command) => !known.has(command ?? ""));

  assert.ok(links.length > 0);
  assert.deepEqual(strange, []);
});

test("every setting has a description, and is read with its default", () => {
  const text = source("vs/settings");
  const entries = Object.entries(manifest.contributes.configuration.properties);

  for (const [name, property] of entries) {
    const read = `"${name.replace(/^pynvme\./, "")}", ${JSON.stringify(property.default)}`;
    assert.ok((property.markdownDescription ?? "").length > 40, name);
    assert.ok(text.includes(read), `settings.ts does not read ${read}`);
  }
});

test("every file of the manifest is there", () => {
  const { grammars, snippets, views } = manifest.contributes;

  const paths = [...grammars, ...snippets].map((each) => each.path);
  paths.push(...views.pynvme.map((each) => each.icon));

  assert.deepEqual(
    paths.filter((path) => !existsSync(path)),
    [],
  );
});
