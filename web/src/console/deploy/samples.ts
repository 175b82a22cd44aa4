import { nextId, type Bundle } from './collect';

// Three apps to begin with, made in the browser: no file has to be at hand.
interface Sample { name: string; title: string; says: string; files: Record<string, string> }

const HELLO = `from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello():
    app.logger.info("somebody said hello")
    return "<h1>Hello from Kurama</h1><p>Change me, and drop me again.</p>"


@app.get("/hello/<name>")
def hello_name(name):
    return {"hello": name}
`;

const NOTES = `"""A small JSON API: notes kept in memory."""
import itertools
import logging

from flask import Flask, abort, jsonify, request

log = logging.getLogger("notes")
app = Flask(__name__)
notes = {1: {"id": 1, "text": "Kurama has nine tails"}}
ids = itertools.count(2)


@app.get("/")
def index():
    return {"try": ["GET /notes", "POST /notes", "GET /notes/1", "DELETE /notes/1"]}


@app.get("/notes")
def list_notes():
    return jsonify(list(notes.values()))


@app.post("/notes")
def add_note():
    text = (request.get_json(silent=True) or {}).get("text", "").strip()
    if not text:
        abort(400, "send {\\"text\\": …}")
    note = {"id": next(ids), "text": text[:500]}
    if len(notes) >= 1000:
        notes.pop(next(iter(notes)))
    notes[note["id"]] = note
    log.info("note %s added", note["id"])
    return note, 201


@app.get("/notes/<int:note>")
def one_note(note):
    if note not in notes:
        log.warning("note %s was asked for, and is not there", note)
        abort(404)
    return notes[note]


@app.delete("/notes/<int:note>")
def drop_note(note):
    notes.pop(note, None)
    return "", 204
`;

const SLOW = `"""Pages that take their time: watch p95 and the autoscaler."""
import random
import time

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return '<p><a href="/slow">slow</a> · <a href="/busy">busy</a> · <a href="/flaky">flaky</a></p>'


@app.get("/slow")
def slow():
    wait = random.uniform(0.2, 0.9)
    time.sleep(wait)
    app.logger.info("waited %.0f ms", wait * 1000)
    return f"That took {wait * 1000:.0f} ms of waiting."


@app.get("/busy")
def busy():
    until = time.process_time() + 0.15
    rounds = 0
    while time.process_time() < until:
        rounds += 1
    return f"That took 150 ms of CPU and {rounds} rounds."


@app.get("/flaky")
def flaky():
    if random.random() < 0.3:
        raise RuntimeError("three in ten of these fail on purpose")
    return "This one went well."
`;

export const SAMPLES: Sample[] = [
  { name: 'hello', title: 'Hello', says: 'One file, two routes.', files: { 'hello.py': HELLO } },
  { name: 'notes', title: 'JSON API', says: 'Notes to list, add and delete.', files: { 'app.py': NOTES, 'requirements.txt': 'flask\n' } },
  { name: 'slow', title: 'Slow page', says: 'Slow, busy and flaky routes to watch.', files: { 'app.py': SLOW, 'requirements.txt': 'flask\n' } },
];

/** The sample as if it had been dropped: a single .py as it is, more files as a zip. */
export async function sampleBundle(sample: Sample): Promise<Bundle> {
  const files = Object.entries(sample.files);
  const [first] = files;
  if (files.length === 1 && first) {
    const file = new File([first[1]], first[0], { type: 'text/x-python' });
    return { id: nextId(), form: 'archive', type: 'text/x-python', file, name: sample.name, bytes: file.size };
  }
  const { strToU8, zipSync } = await import('fflate');
  const zip = zipSync(Object.fromEntries(files.map(([path, text]) => [path, strToU8(text)])));
  const file = new File([zip as BlobPart], `${sample.name}.zip`, { type: 'application/zip' });
  return { id: nextId(), form: 'archive', type: 'application/zip', file, name: sample.name, bytes: file.size };
}
