package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	cases := []Case{{steady(60, 100), waits(t, nil)}}
	results, err := Compare(context.Background(), Plan{Cases: cases, Scalers: []string{"swift", Peak}, Seeds: 2, Objective: 0.2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := Report{Objective: 0.2, Seeds: 2, Results: results, Verdicts: Judge(results, "swift")}
	var text strings.Builder
	r.Text(&text)
	for _, want := range []string{"steady on waits", "swift at least as good as", "above 200 ms", "2 seeds"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	data, err := r.JSON()
	var back Report
	if err != nil || json.Unmarshal(data, &back) != nil || back.Results[1].Figure["cost"].Mean != 1 {
		t.Errorf("%v: %s", err, data)
	}
}

func TestPlot(t *testing.T) {
	o := run(t, Experiment{Load: steady(60, 2000), Plant: waits(t, nil), Scaler: Peak, Curve: true})
	var out bytes.Buffer
	if err := Plot(&out, "a < b", []Curve{{Peak, o}}); err != nil {
		t.Fatal(err)
	}
	paths := 0
	for d := xml.NewDecoder(&out); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "path" {
			paths++
		}
	}
	if paths < 5 {
		t.Errorf("%d paths", paths)
	}
}
