package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden file anew")

func exampleID(last byte) ID {
	return ID{0x01, 0x92, 0xf0, 0xc5, 0x2a, 0x6b, 0x7c, 0x3d, 0x8e, 0x4f, 0x5a, 0x6b, 0x7c, 0x8d, 0x9e, last}
}

func examples() []Record {
	at := time.Date(2026, 11, 20, 10, 4, 0, 250_007_000, time.UTC)
	return []Record{
		{Time: at, ID: exampleID(1), Kind: KindRequest, Level: LevelWarning, Tenant: "default", App: "hello", Release: 3,
			Replica: "hello-3-abcdef", Method: "GET", URL: "/user/7?q=ä%20b", Route: "/user/<id>", Status: 404,
			Msg: "GET /user/7 404 12.3 ms", CPU: Num(12.5), Disk: Num(0.001), Swap: Num(0), Mem: Num(33.333333333333336),
			Dur: Num(12.3), Queue: Num(0.25), CPUMs: Num(4), DBMs: Num(1.75), Bytes: Num(20480), Req: "r-1"},
		{Time: at.Add(time.Microsecond), ID: exampleID(2), Kind: KindLog, Level: LevelError, Tenant: "default", App: "hello",
			Release: 3, Replica: "hello-3-abcdef", Msg: "a \"quoted\" line\nand\t\\more \x01 \u2028 end",
			CPU: Num(100), Exc: "Traceback (most recent call last):\n  ValueError", Extra: []byte(`{"user":7,"deep":{"a":[1,2]}}`)},
		{Time: at, ID: exampleID(3), Kind: KindSample, Replica: "host-1", CPU: Num(-1), Disk: Num(1e21), Swap: Num(1e-7),
			Extra: []byte(`{"mem_bytes":1}`)},
		{Time: at, ID: exampleID(4), Kind: KindEvent, Level: LevelInfo, Tenant: "default", App: "hello",
			Msg: "12 records were dropped.", Extra: []byte(`{"event":"dropped","count":12}`)},
		{},
	}
}

func TestCanonicalLinesAreGolden(t *testing.T) {
	var got []byte
	for _, r := range examples() {
		got = Append(got, &r)
	}
	const file = "testdata/canonical.ndjson"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the canonical form changed:\n%s\nthe golden file:\n%s", got, want)
	}
}

func TestLinesRoundTripAndAgreeWithEncodingJSON(t *testing.T) {
	for _, want := range examples() {
		line := Append(nil, &want)
		var got Record
		if err := Decode(line, &got); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("read back\n%+v\nfor\n%+v", got, want)
		}
		oracle, err := oracleDecode(line)
		if err != nil || !reflect.DeepEqual(got, oracle) {
			t.Errorf("encoding/json reads\n%+v, %v\nfor\n%+v", oracle, err, got)
		}
		if theirs := oracleLine(&want); !sameButNumbers(theirs, string(line)) {
			t.Errorf("encoding/json writes\n%sand we\n%s", theirs, line)
		}
		asJSON, err := json.Marshal([]Record{want})
		if err != nil || string(asJSON) == "" {
			t.Errorf("json.Marshal: %v", err)
		}
	}
}

// sameButNumbers compares two lines; both may write a float in another of its
// exact forms.
func sameButNumbers(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func TestDecodeTakesAnyOrderAndSkipsWhatItDoesNotKnow(t *testing.T) {
	f := func(line string, want Record) {
		t.Helper()
		got := Record{Msg: "left over"}
		if err := Decode([]byte(line), &got); err != nil {
			t.Errorf("%s: %v", line, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s reads as %+v", line, got)
		}
	}
	f(`{}`, Record{})
	f(` { "msg" : "x" , "other" : [ { "a" : -1.5e+3 , "b" : [ ] } , true , false , null , "\u00e4\n" ] , "kind" : "log" } `,
		Record{Msg: "x", Kind: KindLog})
	f(`{"ts":null,"id":null,"kind":null,"level":null,"msg":null,"status":null,"release":null,"cpu":null,"extra":null}`, Record{})
	f(`{"level":"warn","kind":"span"}`, Record{Level: LevelWarning})
	f(`{"level":35}`, Record{Level: 35})
	f(`{"level":"NOTICE"}`, Record{})
	f(`{"msg":"\ud83e\udd8a \ud83e \u0041\/"}`, Record{Msg: "🦊 \ufffd A/"})
	f("{\"msg\":\"a\xffb\"}", Record{Msg: "a\ufffdb"})
	f(`{"ts":"2026-11-20T11:04:00.1234567+01:00"}`, Record{Time: time.Date(2026, 11, 20, 10, 4, 0, 123_456_000, time.UTC)})
	f(`{"ts":"2024-02-29T00:00:00.000000Z"}`, Record{Time: time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)})
}

func TestDecodeRefusesWhatIsNoRecord(t *testing.T) {
	for _, line := range []string{``, `null`, `[]`, `"x"`, `{`, `{"a"}`, `{"a":1,}`, `{} x`, `{"msg":1}`, `{"status":"200"}`,
		`{"status":1.5}`, `{"cpu":"x"}`, `{"cpu":01}`, `{"cpu":1.}`, `{"cpu":-}`, `{"cpu":1e}`, `{"id":"x"}`, `{"ts":"yesterday"}`,
		`{"extra":[1]}`, `{"extra":{"a":}}`, `{"msg":"a` + "\n" + `b"}`, `{"msg":"\x"}`, `{"msg":"\u12"}`, `{"msg":"a`,
		`{"x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`} {
		var r Record
		var syntax *SyntaxError
		if err := Decode([]byte(line), &r); !errors.As(err, &syntax) {
			t.Errorf("%s: the error is %v", line, err)
		}
	}
}

func TestEachGoesOnPastABadLine(t *testing.T) {
	var seen []string
	err := Each([]byte("{\"msg\":\"a\"}\nnot json\n\n{\"msg\":\"b\"}"), func(r *Record) error {
		seen = append(seen, r.Msg)
		return nil
	})
	var bad *LineError
	if !errors.As(err, &bad) || bad.Line != 2 || strings.Join(seen, "") != "ab" {
		t.Errorf("seen %q with error %v", seen, err)
	}
	stop := errors.New("stop")
	if err := Each([]byte("{}\n{}\n"), func(*Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an error of fn came back as %v", err)
	}
}

func TestIDsSortByTheirTime(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	last := NewID(at)
	for range 1000 {
		at = at.Add(time.Microsecond)
		id := NewID(at)
		if id.String() <= last.String() || id[6]>>4 != 7 || id[8]>>6 != 2 {
			t.Fatalf("%v follows %v", id, last)
		}
		if back, err := ParseID(strings.ToUpper(id.String())); err != nil || back != id {
			t.Fatalf("%v reads back as %v, %v", id, back, err)
		}
		last = id
	}
}

func TestTimesAgreeWithTheTimePackage(t *testing.T) {
	for at := time.Date(1899, 12, 30, 23, 59, 59, 999_999_000, time.UTC); at.Year() < 2110; at = at.Add(13*time.Hour + 7*time.Microsecond) {
		line := appendTime(nil, at)
		if want := at.Format(`"2006-01-02T15:04:05.000000Z"`); string(line) != want {
			t.Fatalf("%s for %s", line, want)
		}
		if got, ok := canonicalTime(line[1:28]); ok && !got.Equal(at) || !ok && at.Day() < 29 {
			t.Fatalf("%s reads as %v", line, got)
		}
	}
}

func benchmarkLine() (Record, []byte) {
	r := examples()[0]
	return r, Append(nil, &r)
}

func BenchmarkDecode(b *testing.B) {
	_, line := benchmarkLine()
	var r Record
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if err := Decode(line, &r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeCore(b *testing.B) {
	line := []byte(`{"ts":"2026-11-20T10:04:00.250007Z","id":"0192f0c5-2a6b-7c3d-8e4f-5a6b7c8d9e01","level":"INFO","url":"/user/7","status":200,"msg":"GET /user/7 200 12.3 ms","cpu":12.5,"disk":1.2,"swap":0,"mem":33.3}` + "\n")
	var r Record
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if err := Decode(line, &r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	r, line := benchmarkLine()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		line = Append(line[:0], &r)
	}
}
