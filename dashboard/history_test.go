package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"kurama/paas"
)

// remembered is a History that answers with what it was asked.
type remembered struct{}

func (remembered) Course(_ context.Context, s Span) (Course, error) {
	if s.Step == 7*time.Second {
		return Course{}, &paas.Invalid{Reason: "Seven is too odd."}
	}
	return Course{ByClass: s.Step < time.Minute, Points: []PastPoint{{T: s.From.Unix(), Req: float64(s.To.Unix()), S2: s.Step.Seconds()}},
		Events: []PastEvent{{Event: s.Tenant, Msg: s.App}}}, nil
}

func (remembered) Window(_ context.Context, s Span) (Window, error) {
	return Window{Seconds: s.To.Sub(s.From).Seconds(), Requests: 7, Records: []json.RawMessage{json.RawMessage(fmt.Sprint(s.Records))}}, nil
}

// ask sends a GET as somebody and returns status and body.
func (f *fixture) ask(as, path string) (int, string) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), "GET", "http://"+f.server.Addr().String()+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+as)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestHistoryIsAskedInWholeStepsAndWithinBounds(t *testing.T) {
	f := setup(t, startStream(t), settings(), nil)
	day := time.Now().UTC().Truncate(24 * time.Hour).Unix()
	course := func(app string, from, to int64, step string) (int, Course, string) {
		status, body := f.ask("ann", fmt.Sprintf("/api/history?app=%s&from=%d&to=%d&step=%s", app, from, to, step))
		var c Course
		if status == 200 {
			if err := json.Unmarshal([]byte(body), &c); err != nil {
				t.Fatal(err)
			}
		}
		return status, c, body
	}
	if status, c, body := course("hello", day-61, day-1, "10"); status != 200 || c.Points[0].T != day-70 || int64(c.Points[0].Req) != day || c.Points[0].S2 != 10 || !c.ByClass {
		t.Errorf("%d %s", status, body)
	}
	if status, c, body := course("hello", day-3601, day, "100"); status != 200 || c.Points[0].S2 != 60 || c.Points[0].T != day-3660 || c.ByClass {
		t.Errorf("long steps are whole minutes: %d %s", status, body)
	}
	if _, c, _ := course("", day-60, day, "1"); c.Events[0].Event != "acme" || c.Events[0].Msg != "" {
		t.Errorf("of all apps: %+v", c)
	}
	for _, q := range []struct {
		app      string
		from, to int64
		step     string
		status   int
	}{{"secret", day - 60, day, "1", 404}, {"hello", day, day, "1", 422}, {"hello", day - 9*86400, day, "3600", 422},
		{"hello", day - 86400, day, "1", 422}, {"hello", day - 60, day, "0", 422}, {"hello", day - 60, day, "x", 422}, {"hello", day - 70, day, "7", 422}} {
		if status, _, body := course(q.app, q.from, q.to, q.step); status != q.status {
			t.Errorf("%+v is %d %s", q, status, body)
		}
	}
	if status, _ := f.ask("nobody", "/api/history?from=1&to=2"); status != 401 {
		t.Errorf("nobody gets %d", status)
	}
}

func TestAWindowOfThePastHasItsRecordsOnlyForOneApp(t *testing.T) {
	f := setup(t, startStream(t), settings(), nil)
	now := time.Now().Unix()
	for app, records := range map[string]string{"hello": "true", "": "false"} {
		status, body := f.ask("ann", fmt.Sprintf("/api/history/window?app=%s&from=%d&to=%d", app, now-7200, now))
		if status != 200 || !strings.Contains(body, `"seconds":7200,"requests":7`) || !strings.Contains(body, `"records":[`+records+`]`) {
			t.Errorf("%q: %d %s", app, status, body)
		}
	}
}
