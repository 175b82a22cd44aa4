package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
)

func FuzzDecode(f *testing.F) {
	for _, r := range examples() {
		f.Add(Append(nil, &r))
	}
	f.Add([]byte(`{"msg":"\ud83e\udd8a\u0041","level":35,"cpu":-1.5E3,"extra":{"a":[null]},"ts":"2024-02-29T00:00:00Z"}`))
	f.Add([]byte("{\"url\":\"a\xffb\",\"status\":null,\"status\":2,\"release\":9223372036854775807,\"swap\":1e-400}"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.Count(line, []byte("{"))+bytes.Count(line, []byte("[")) > maxDepth {
			return
		}
		var r Record
		err := Decode(line, &r)
		oracle, oracleErr := oracleDecode(line)
		if err != nil && oracleErr == nil && repeats(line) {
			return // encoding/json does not look at a value that is given again
		}
		if (err == nil) != (oracleErr == nil) {
			t.Fatalf("we say %v, encoding/json %v", err, oracleErr)
		}
		if err != nil {
			return
		}
		if !reflect.DeepEqual(r, oracle) {
			t.Fatalf("we read\n%+v\nencoding/json\n%+v", r, oracle)
		}
		var owner Record
		if err := DecodeOwner(line, &owner); err != nil || !repeats(line) && (owner.Tenant != r.Tenant || owner.App != r.App || !owner.Time.Equal(r.Time)) {
			t.Fatalf("%v: the owner of %s is read as %q %q at %v", err, line, owner.Tenant, owner.App, owner.Time)
		}
		again := Append(nil, &r)
		var back Record
		if err := Decode(again, &back); err != nil || bytes.Count(again, []byte("\n")) != 1 {
			t.Fatalf("%v in our own %s", err, again)
		}
		if twice := Append(nil, &back); !bytes.Equal(twice, again) {
			t.Fatalf("%s becomes %s", again, twice)
		}
	})
}

// FuzzEach reads any bytes as a batch: each line is handed on as Decode alone
// reads it, the first that is none is told with its number, and what was read
// is written and read again as the same batch.
func FuzzEach(f *testing.F) {
	var batch []byte
	for _, r := range examples() {
		batch = Append(batch, &r)
	}
	f.Add(batch)
	f.Add([]byte("\n{\"msg\":\"a\"}\r\n{\n\n{\"id\":null}"))
	f.Fuzz(func(t *testing.T, batch []byte) {
		want, bad := lineByLine(batch)
		var again []byte
		n := 0
		err := Each(batch, func(r *Record) error {
			if n >= len(want) || !reflect.DeepEqual(*r, want[n]) {
				t.Fatalf("record %d of %d is %+v", n, len(want), *r)
			}
			n++
			again = Append(again, r)
			return nil
		})
		i := 0
		wanted := EachWanted(batch, func([]byte, *Record) bool { return true }, func(_ []byte, r *Record) error {
			if i >= len(want) || !reflect.DeepEqual(*r, want[i]) {
				t.Fatalf("with its beginning read first, record %d of %d is %+v", i, len(want), *r)
			}
			i++
			return nil
		})
		if i != n || !reflect.DeepEqual(wanted, err) {
			t.Fatalf("with their beginnings read first there are %d of %d records, and %v for %v", i, n, wanted, err)
		}
		for k := range KindProfile + 1 {
			if slices.ContainsFunc(bytes.Split(batch, []byte("\n")), repeats) {
				break // of two kinds in a line EachOf may go by the first
			}
			var some []byte
			_ = EachOf(batch, func(r *Record) error {
				some = Append(some, r)
				return nil
			}, k)
			var all []byte
			for i := range want {
				if want[i].Kind == k {
					all = Append(all, &want[i])
				}
			}
			if !bytes.Equal(some, all) {
				t.Fatalf("of kind %v are\n%s\nand EachOf reads\n%s", k, all, some)
			}
		}
		var told *LineError
		if n != len(want) || errors.As(err, &told) != (bad > 0) || told != nil && told.Line != bad {
			t.Fatalf("%d of %d records, and %v where line %d is the first bad one", n, len(want), err, bad)
		}
		var twice []byte
		err = Each(again, func(r *Record) error {
			twice = Append(twice, r)
			return nil
		})
		if err != nil || !bytes.Equal(twice, again) || bytes.Count(again, []byte("\n")) != n {
			t.Fatalf("%v: a batch of %d records\n%s\nbecomes\n%s", err, n, again, twice)
		}
	})
}

// lineByLine decodes the lines of a batch one by one, and returns the number
// of the first that is no record; 0 where all are.
func lineByLine(batch []byte) (list []Record, bad int) {
	for i, line := range bytes.Split(batch, []byte("\n")) {
		var r Record
		switch {
		case len(line) == 0:
		case Decode(line, &r) == nil:
			list = append(list, r)
		case bad == 0:
			bad = i + 1
		}
	}
	return list, bad
}

// repeats reports whether a key of the line's object comes twice.
func repeats(line []byte) bool {
	d := json.NewDecoder(bytes.NewReader(line))
	_, _ = d.Token()
	seen := map[any]bool{}
	for d.More() {
		key, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return false
		}
		if seen[key] {
			return true
		}
		seen[key] = true
	}
	return false
}

func FuzzNumber(f *testing.F) {
	for _, v := range []float64{0, 0.1, 12.345, 99.9995, 1e15, -0.5, 1e-9, math.MaxFloat64, 123456789.123} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return
		}
		text := appendNumber(nil, Num(v))
		s := scanner{b: text}
		if got, ok := s.number(); !ok || got.Value != v || !json.Valid(text) {
			t.Fatalf("%v is written as %s and read as %v", v, text, got.Value)
		}
	})
}
