// shape: what the extension needs of VS Code's API, as a value that is given to it: `vscode` in the editor.
import type * as vscode from "vscode";

export type Api = Pick<typeof vscode, "Range" | "InlineCompletionItem"> & {
  readonly workspace: Pick<
    typeof vscode.workspace,
    | "textDocuments"
    | "workspaceFolders"
    | "getConfiguration"
    | "onDidOpenTextDocument"
    | "onDidChangeTextDocument"
    | "onDidCloseTextDocument"
    | "onDidChangeWorkspaceFolders"
    | "onDidChangeConfiguration"
  >;
  readonly window: Pick<
    typeof vscode.window,
    | "activeTextEditor"
    | "onDidChangeActiveTextEditor"
    | "createStatusBarItem"
    | "createOutputChannel"
    | "showInputBox"
    | "showErrorMessage"
  >;
  readonly languages: Pick<typeof vscode.languages, "registerInlineCompletionItemProvider">;
  readonly commands: Pick<typeof vscode.commands, "registerCommand" | "executeCommand">;
  readonly version: string;
};

/** Of what is open, what a person writes. */
export const written: readonly { readonly scheme: string }[] = [
  "file",
  "untitled",
  "vscode-remote",
  "vscode-vfs",
  "vscode-notebook-cell",
].map((scheme) => ({ scheme }));

export const isWritten = (document: vscode.TextDocument) => written.some(({ scheme }) => scheme === document.uri.scheme);
