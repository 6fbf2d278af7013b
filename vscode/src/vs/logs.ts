import * as vscode from "vscode";
import type { Filter, Queue } from "../console/protocol";
import { type CommandLines, commandLines } from "../model/logText";
import type { Link } from "./link";
import { LogDocument, logUri, SCHEME } from "./logDocument";

const LANGUAGE = "nvme-cmdlog";
const SELECTOR = { scheme: SCHEME };

/** VS Code may fold before it has looked at the ranges that it was given: then nothing is folded. */
const FOLD_TRIES = 8;
const FOLD_MS = 200;

/** The commands that have more than one line. */
function foldable(document: vscode.TextDocument): CommandLines[] {
  return commandLines(document.getText()).filter(({ first, last }) => last > first);
}

/** Whether a line is on the screen: what is folded is not. */
function isVisible(editor: vscode.TextEditor, line: number): boolean {
  return editor.visibleRanges.some(({ start, end }) => start.line <= line && line <= end.line);
}

/** The command logs as documents: their text, folding, the line of actions above them. */
export class Logs
  implements
    vscode.TextDocumentContentProvider,
    vscode.FoldingRangeProvider,
    vscode.CodeLensProvider,
    vscode.Disposable
{
  private readonly documents = new Map<string, LogDocument>();
  /** By document: the commands that the user has opened. */
  private readonly opened = new Map<string, Set<string>>();
  /** By document: the version of its text whose commands are being folded, or were; and are. */
  private readonly folding = new Map<string, number>();
  private readonly settled = new Map<string, number>();
  private readonly changes = new vscode.EventEmitter<vscode.Uri>();
  private readonly ranges = new vscode.EventEmitter<void>();
  private readonly lenses = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];
  readonly onDidChange = this.changes.event;
  readonly onDidChangeFoldingRanges = this.ranges.event;
  readonly onDidChangeCodeLenses = this.lenses.event;

  constructor(private readonly link: Link) {
    this.subscriptions = [
      this.changes,
      this.ranges,
      this.lenses,
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.languages.registerFoldingRangeProvider(SELECTOR, this),
      vscode.languages.registerCodeLensProvider(SELECTOR, this),
      vscode.window.onDidChangeVisibleTextEditors(() => {
        this.follow();
      }),
      vscode.window.onDidChangeActiveTextEditor(() => {
        this.follow();
      }),
      vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) => {
        if (textEditor.document.uri.scheme === SCHEME) this.noteOpened(textEditor);
      }),
      vscode.workspace.onDidOpenTextDocument((document) => {
        void this.setLanguage(document);
      }),
      vscode.workspace.onDidChangeTextDocument((event) => {
        this.edited(event.document);
      }),
      vscode.workspace.onDidCloseTextDocument((document) => {
        this.closed(document);
      }),
    ];
  }

  /** Opens the log of a queue, with its commands folded. */
  async open(queue: Queue): Promise<void> {
    const document = await vscode.workspace.openTextDocument(logUri(queue));
    await vscode.window.showTextDocument(document, { preview: true });
  }

  /** The log that a command is meant for: the one named, else the one in the active editor. */
  find(uri?: vscode.Uri): LogDocument | undefined {
    const wanted = uri ?? vscode.window.activeTextEditor?.document.uri;
    return wanted?.scheme === SCHEME ? this.document(wanted) : undefined;
  }

  /** Shows what passes the filter, all of it folded. */
  filter(log: LogDocument, filter: Filter): void {
    this.opened.delete(log.uri.toString());
    log.setFilter(filter);
  }

  /** The settings have changed. */
  restart(): void {
    for (const each of this.documents.values()) each.restart();
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.document(uri).text;
  }

  provideFoldingRanges(document: vscode.TextDocument): vscode.FoldingRange[] {
    // Once VS Code has these ranges, it can fold them.
    setTimeout(() => {
      this.foldIn(document.uri);
    }, 0);
    return foldable(document).map(({ first, last }) => new vscode.FoldingRange(first, last));
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const log = this.document(document.uri);
    const onlyErrors = log.filter.status === "error";
    const lens = (title: string, command: string): vscode.CodeLens =>
      new vscode.CodeLens(new vscode.Range(0, 0, 0, 0), {
        title,
        command,
        arguments: [document.uri],
      });
    return [
      lens(onlyErrors ? "All" : "Only Errors", "pynvme.filterErrors"),
      lens("Filter...", "pynvme.filterCommandLog"),
      log.paused
        ? lens("Go On", "pynvme.pauseCommandLog")
        : lens("Pause", "pynvme.pauseCommandLog"),
    ];
  }

  dispose(): void {
    for (const each of this.documents.values()) each.stop();
    for (const each of this.subscriptions) each.dispose();
  }

  private document(uri: vscode.Uri): LogDocument {
    const key = uri.toString();
    let found = this.documents.get(key);
    if (!found) {
      found = new LogDocument(uri, this.link, () => {
        this.changes.fire(uri);
        this.lenses.fire();
      });
      this.documents.set(key, found);
      this.follow();
    }
    return found;
  }

  private follow(): void {
    const visible = new Set(
      vscode.window.visibleTextEditors.map((editor) => editor.document.uri.toString()),
    );
    const active = vscode.window.activeTextEditor?.document.uri.toString();
    for (const [key, each] of this.documents) {
      each.follow(visible.has(key));
      each.setCompact(key !== active);
    }
  }

  private async setLanguage(document: vscode.TextDocument): Promise<void> {
    if (document.uri.scheme !== SCHEME || document.languageId === LANGUAGE) return;
    await vscode.languages.setTextDocumentLanguage(document, LANGUAGE);
  }

  private edited(document: vscode.TextDocument): void {
    if (document.uri.scheme !== SCHEME) return;
    this.ranges.fire();
  }

  private foldIn(uri: vscode.Uri): void {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.uri.toString() === uri.toString()) void this.foldClosed(editor);
  }

  private closed(document: vscode.TextDocument): void {
    // A change of language closes a document and opens it again: only what is not shown goes.
    const key = document.uri.toString();
    if (vscode.window.visibleTextEditors.some((each) => each.document.uri.toString() === key)) {
      return;
    }
    this.documents.get(key)?.stop();
    this.documents.delete(key);
    for (const each of [this.opened, this.folding, this.settled]) each.delete(key);
  }

  /** Folds what the user has not opened; VS Code does that in the active editor only. */
  private async foldClosed(editor: vscode.TextEditor): Promise<void> {
    const { document } = editor;
    const { version } = document;
    const key = document.uri.toString();
    if (this.folding.get(key) === version) return;
    this.folding.set(key, version);
    this.settled.delete(key);
    const opened = this.opened.get(key);
    const closed = foldable(document).filter((each) => !opened?.has(each.headline));
    const selectionLines = closed.map((each) => each.first);
    for (let i = 0; i < FOLD_TRIES && closed.length; i++) {
      await vscode.commands.executeCommand("editor.fold", { levels: 1, selectionLines });
      await new Promise((resolve) => setTimeout(resolve, FOLD_MS));
      if (document.version !== version) return; // the text that came meanwhile has its own turn
      if (!closed.some((each) => isVisible(editor, each.first + 1))) break;
    }
    this.settled.set(key, version);
  }

  /** Once all is folded, a command that is open was opened by the user: it stays open. */
  private noteOpened(editor: vscode.TextEditor): void {
    const key = editor.document.uri.toString();
    if (this.settled.get(key) !== editor.document.version) return;
    const opened = this.opened.get(key) ?? new Set<string>();
    this.opened.set(key, opened);
    for (const { headline, first } of foldable(editor.document)) {
      if (!isVisible(editor, first)) continue;
      if (isVisible(editor, first + 1)) opened.add(headline);
      else opened.delete(headline);
    }
  }
}
