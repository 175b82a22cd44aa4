package store_test

import (
	"encoding/json"
	"testing"

	"kurama/paas"
)

func TestLoadTests(t *testing.T) {
	s, _ := setup(t)
	ctx := t.Context()
	var ids []int64
	for range 22 {
		id, err := s.AddLoadTest(ctx, "default", "hello", paas.LoadTest{State: paas.LoadTestRunning, By: "ann", Scenario: "seed: 1"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	t.Run("the last twenty of an app are kept, newest first", func(t *testing.T) {
		list, err := s.LoadTests(ctx, "default", "hello")
		if err != nil || len(list) != 20 || list[0].ID != ids[21] || list[19].ID != ids[2] || list[0].By != "ann" {
			t.Errorf("%d tests, %v", len(list), err)
		}
	})
	t.Run("the report comes with one of them, as it was given", func(t *testing.T) {
		report := json.RawMessage(`{"errors":{"\u0000":1}}`)
		wantErr(t, s.EndLoadTest(ctx, "default", "hello", paas.LoadTest{ID: ids[21], State: paas.LoadTestDone, Answered: 5, Report: report}), nil)
		one, err := s.LoadTest(ctx, "default", "hello", ids[21])
		if err != nil || string(one.Report) != string(report) || one.State != paas.LoadTestDone || one.Answered != 5 {
			t.Errorf("%+v, %v", one, err)
		}
		if list, err := s.LoadTests(ctx, "default", "hello"); err != nil || list[0].Report != nil {
			t.Errorf("%+v, %v", list[0], err)
		}
	})
	t.Run("what a killed role had under way is over", func(t *testing.T) {
		wantErr(t, s.EndLostLoadTests(ctx), nil)
		if one, err := s.LoadTest(ctx, "default", "hello", ids[20]); err != nil || one.State != paas.LoadTestStopped || one.Scenario != "seed: 1" {
			t.Errorf("%+v, %v", one, err)
		}
	})
	t.Run("those of others are not found", func(t *testing.T) {
		_, err := s.LoadTest(ctx, "other", "hello", ids[21])
		wantErr(t, err, paas.ErrNotFound)
		_, err = s.AddLoadTest(ctx, "other", "hello", paas.LoadTest{})
		wantErr(t, err, paas.ErrNotFound)
		wantErr(t, s.EndLoadTest(ctx, "default", "hello", paas.LoadTest{ID: ids[0]}), paas.ErrNotFound)
	})
}
