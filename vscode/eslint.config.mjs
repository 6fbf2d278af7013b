import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "*.mjs"] },
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: "./tsconfig.json",
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "max-lines-per-function": ["error", { max: 80 }],
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off", // knows vscode.Disposable as a class only
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  {
    // What needs no VS Code must run without it: its tests do.
    files: ["src/console/**", "src/model/**", "src/webview/**"],
    rules: { "no-restricted-imports": ["error", { paths: ["vscode"] }] },
  },
  {
    files: ["test/**"],
    rules: {
      // node:test runs what it is given, whether anybody waits for it or not.
      "@typescript-eslint/no-floating-promises": "off",
    },
  },
);
