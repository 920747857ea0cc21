import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/vendor/"] },
  js.configs.recommended,
  {
    files: ["control/web/static/*.js"],
    languageOptions: { ecmaVersion: 2022, globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "no-param-reassign": "error",
      "no-shadow": ["error", { hoist: "all" }],
      "no-restricted-syntax": [
        "error",
        { selector: "BinaryExpression > Literal[value>=10000]", message: "A status has a name in statuses.js." },
      ],
      "no-throw-literal": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
