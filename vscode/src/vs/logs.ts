import * as vscode from "vscode";
import type { Queue } from "../console/protocol";
import { commandLines } from "../model/logText";
import type { Link } from "./link";
import { LogDocument, logUri, SCHEME } from "./logDocument";

const LANGUAGE = "nvme-cmdlog";
const SELECTOR = { scheme: SCHEME };

/** The command logs as documents: their text, folding, the line of actions above them. */
export class Logs
  implements
    vscode.TextDocumentContentProvider,
    vscode.FoldingRangeProvider,
    vscode.CodeLensProvider,
    vscode.Disposable
{
  private readonly documents = new Map<string, LogDocument>();
  /** Commands of a document that were folded once: what the user opened then stays open. */
  private readonly folded = new Map<string, Set<string>>();
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
      vscode.workspace.onDidOpenTextDocument((document) => {
        void this.opened(document);
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

  /** The settings have changed. */
  restart(): void {
    for (const each of this.documents.values()) each.restart();
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.document(uri).text;
  }

  provideFoldingRanges(document: vscode.TextDocument): vscode.FoldingRange[] {
    // Once VS Code has these ranges, it can fold those of commands that were not there before.
    setTimeout(() => {
      this.foldNewIn(document.uri);
    }, 0);
    return commandLines(document.getText())
      .filter(({ first, last }) => last > first)
      .map(({ first, last }) => new vscode.FoldingRange(first, last));
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

  private async opened(document: vscode.TextDocument): Promise<void> {
    if (document.uri.scheme !== SCHEME || document.languageId === LANGUAGE) return;
    await vscode.languages.setTextDocumentLanguage(document, LANGUAGE);
  }

  private edited(document: vscode.TextDocument): void {
    if (document.uri.scheme !== SCHEME) return;
    this.ranges.fire();
  }

  private foldNewIn(uri: vscode.Uri): void {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.uri.toString() === uri.toString()) void this.foldNew(editor);
  }

  private closed(document: vscode.TextDocument): void {
    // A change of language closes a document and opens it again: only what is not shown goes.
    const key = document.uri.toString();
    if (vscode.window.visibleTextEditors.some((each) => each.document.uri.toString() === key)) {
      return;
    }
    this.documents.get(key)?.stop();
    this.documents.delete(key);
    this.folded.delete(key);
  }

  /** Folds the commands that were not there before; VS Code does that in the active editor only. */
  private async foldNew(editor: vscode.TextEditor): Promise<void> {
    const { document } = editor;
    if (document.uri.scheme !== SCHEME) return;
    const commands = commandLines(document.getText()).filter(({ first, last }) => last > first);
    const key = document.uri.toString();
    const known = this.folded.get(key) ?? new Set<string>();
    const fresh = commands.filter((each) => !known.has(each.headline));
    this.folded.set(key, new Set(commands.map((each) => each.headline)));
    if (!fresh.length) return;
    const selectionLines = fresh.map((each) => each.first);
    await vscode.commands.executeCommand("editor.fold", { levels: 1, selectionLines });
  }
}
