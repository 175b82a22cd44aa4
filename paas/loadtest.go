package paas

import (
	"encoding/json"
	"time"
)

// The states of a load test.
const (
	LoadTestRunning = "running"
	LoadTestDone    = "done"
	LoadTestStopped = "stopped" // by somebody, or by the end of the role that ran it
)

// LoadTest is a run of simulated requests against an app, with what came of it.
type LoadTest struct {
	ID       int64           `json:"id"`
	By       string          `json:"by" doc:"Who began it"`
	Began    time.Time       `json:"began"`
	Ends     time.Time       `json:"ends" doc:"As planned; once it is over, when it ended"`
	State    string          `json:"state" enum:"running,done,stopped"`
	Shape    string          `json:"shape"`
	Wanted   float64         `json:"wanted" doc:"Requests per second that are planned now; in the end the most of the plan"`
	Answered int             `json:"answered" doc:"Requests that ended, well or not"`
	Failed   int             `json:"failed" doc:"Of them"`
	Rate     float64         `json:"rate" doc:"Answers per second, lately; in the end over the run"`
	P50      float64         `json:"p50" doc:"ms"`
	P95      float64         `json:"p95" doc:"ms"`
	P99      float64         `json:"p99" doc:"ms"`
	Holds    *bool           `json:"holds" doc:"Whether all conditions hold; null while it runs, or without any"`
	Scenario string          `json:"scenario,omitempty" doc:"As it was given"`
	Series   json.RawMessage `json:"series,omitempty" doc:"While it runs: its last two minutes second by second, in the form of the report's"`
	Report   json.RawMessage `json:"report,omitempty" doc:"The simulator's report once the run is over"`
}
