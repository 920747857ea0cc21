import js from "@eslint/js";
import globals from "globals";

const rules = {
  curly: ["error", "multi-line"],
  eqeqeq: "error",
  "no-param-reassign": "error",
  "no-restricted-syntax": [
    "error",
    { selector: "BinaryExpression > Literal[value>=10000]", message: "A status has a name in statuses.js." },
  ],
  "no-shadow": ["error", { hoist: "all" }],
  "no-throw-literal": "error",
  "no-var": "error",
  "prefer-const": "error",
};

export default [
  { ignores: ["**/vendor/"] },
  js.configs.recommended,
  { linterOptions: { reportUnusedDisableDirectives: "error" }, rules },
  {
    files: ["control/web/static/*.js"],
    languageOptions: { ecmaVersion: 2022, globals: globals.browser },
  },
  {
    // njs, which reads a part of newer syntax at most, and knows no catch without a name.
    files: ["nginx/*.js"],
    languageOptions: { ecmaVersion: 2017, globals: { Buffer: "readonly", process: "readonly", ngx: "readonly", setTimeout: "readonly", clearTimeout: "readonly" } },
    rules: { "no-unused-vars": ["error", { caughtErrors: "none" }] },
  },
];
