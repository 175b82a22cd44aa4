package spool

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func open(t *testing.T, dir string, limit int64) *Spool {
	t.Helper()
	s, err := Open(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func add(t *testing.T, s *Spool, id, data string, check bool) {
	t.Helper()
	if err := s.Add(Entry{ID: id, Records: 1, Check: check}, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// drain takes all batches out and returns their ids and data.
func drain(t *testing.T, s *Spool) (all string) {
	t.Helper()
	for e, ok := s.First(); ok; e, ok = s.First() {
		data, err := s.Data(e)
		if err != nil {
			t.Fatal(err)
		}
		all += e.ID + "=" + string(data) + ";"
		if err := s.Done(e); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestBatchesComeOutInOrderAlsoAfterARestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1000)
	add(t, s, "a-1", "one", false)
	add(t, s, "a-2", "two", true)
	first, _ := s.First()
	if err := s.Done(first); err != nil {
		t.Fatal(err)
	}
	add(t, s, "a-3", "three", false)

	s = open(t, dir, 1000) // as after kill -9
	add(t, s, "b-1", "four", false)
	if e, _ := s.First(); !e.Check || e.Records != 1 || e.Bytes != 3 || e.At.IsZero() {
		t.Errorf("the oldest batch is %+v", e)
	}
	if batches, bytes := s.Size(); batches != 3 || bytes != 12 {
		t.Errorf("the size is %d batches of %d bytes", batches, bytes)
	}
	if got := drain(t, s); got != "a-2=two;a-3=three;b-1=four;" {
		t.Errorf("the spool held %s", got)
	}
}

func TestWhatACrashLeftHalfWrittenDoesNotCount(t *testing.T) {
	dir := t.TempDir()
	half := filepath.Join(dir, "batch-123.tmp")
	other := filepath.Join(dir, "stdout.json")
	for _, name := range []string{half, other} {
		if err := os.WriteFile(name, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, dir, 1000)
	if batches, _ := s.Size(); batches != 0 {
		t.Errorf("%d batches are there", batches)
	}
	if _, err := os.Stat(half); err == nil {
		t.Error("the half batch is still there")
	}
	if _, err := os.Stat(other); err != nil {
		t.Error("a file that is none of the spool's business is gone")
	}
}

func TestTheSpoolRefusesWhatDoesNotFit(t *testing.T) {
	s := open(t, t.TempDir(), 10)
	add(t, s, "a-1", "12345678", false)
	if err := s.Add(Entry{ID: "a-2", Records: 1}, []byte("123")); !errors.Is(err, ErrFull) {
		t.Errorf("the error is %v", err)
	}
	drain(t, s)
	add(t, s, "a-2", "123", false)
}
