package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The pages' types are made from this file by `make types`.
const document = "../../web/src/api/openapi.json"

func TestThePagesKnowTheAPIAsItIs(t *testing.T) {
	w := newWorld(t)
	got := read[json.RawMessage](t, w.send("", "GET", "/api/v1/openapi.json", nil), 200)
	var indented bytes.Buffer
	if err := json.Indent(&indented, got, "", " "); err != nil {
		t.Fatal(err)
	}
	indented.WriteByte('\n')
	if *update {
		if err := os.WriteFile(document, indented.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(indented.Bytes(), want) {
		t.Errorf("%s is not the document that the API serves. Run `make types`, which also tells the pages.", document)
	}
}
