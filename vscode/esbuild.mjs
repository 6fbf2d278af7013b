// Bundles the extension and its page into dist/; with --tests, the unit tests into ../build/vscode/.

import { build } from "esbuild";
import { readdirSync, rmSync } from "node:fs";

const shared = {
  bundle: true,
  logLevel: "warning",
  legalComments: "inline",
  mainFields: ["module", "main"], // jsonc-parser's "main" requires its files in a way that no bundler sees
};

if (process.argv.includes("--tests")) {
  const outdir = "../build/vscode/unit";
  rmSync(outdir, { recursive: true, force: true });
  await build({
    ...shared,
    entryPoints: readdirSync("test")
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `test/${name}`),
    outdir,
    platform: "node",
    target: "node20",
    sourcemap: "inline",
  });
} else {
  rmSync("dist", { recursive: true, force: true });
  await build({
    ...shared,
    entryPoints: ["src/extension.ts"],
    outfile: "dist/extension.js",
    external: ["vscode"],
    platform: "node",
    format: "cjs",
    target: "node16", // of VS Code 1.75
    minify: true,
  });
  await build({
    ...shared,
    entryPoints: { webview: "src/webview/page.ts" },
    outdir: "dist",
    platform: "browser",
    format: "iife",
    target: "chrome108", // of VS Code 1.75
    minify: true,
  });
  await build({
    ...shared,
    stdin: {
      contents: '@import "uplot/dist/uPlot.min.css"; @import "./src/webview/page.css";',
      resolveDir: ".",
      loader: "css",
    },
    outfile: "dist/webview.css",
    minify: true,
  });
}
