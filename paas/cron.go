package paas

import "time"

// CronJob is a command of an app that runs at set times, as its kurama.yaml
// says.
type CronJob struct {
	Name     string  `json:"name"`
	Schedule string  `json:"schedule" doc:"Five fields as in crontab(5), or @daily and its like; UTC unless CRON_TZ=ZONE comes first"`
	Command  string  `json:"command" doc:"Line for the shell"`
	Timeout  float64 `json:"timeout" doc:"Seconds; 0: as long as cron.timeout allows"`
	Overlap  bool    `json:"overlap" doc:"It may begin while its run before still works"`
}

// MaxCronJobs is how many jobs one app can have.
const MaxCronJobs = 20

// CronOutcome is what came of a run of a job.
type CronOutcome string

// The outcomes of a run.
const (
	CronRunning CronOutcome = "running"
	CronOK      CronOutcome = "ok"
	CronFailed  CronOutcome = "failed"  // with an exit code other than 0, or it could not be run
	CronTimeout CronOutcome = "timeout" // it took too long and was stopped
	CronLost    CronOutcome = "lost"    // Kurama stopped meanwhile
	CronSkipped CronOutcome = "skipped" // the run before still worked, or too many waited
	CronMissed  CronOutcome = "missed"  // Kurama did not run when it was due
)

// CronRun is one run of a job, or why there was none.
type CronRun struct {
	Tenant    string      `json:"-"`
	App       string      `json:"-"`
	ID        int64       `json:"id"`
	Job       string      `json:"job"`
	Release   int         `json:"release"`
	DueAt     time.Time   `json:"due_at"`
	StartedAt *time.Time  `json:"started_at,omitempty"`
	EndedAt   *time.Time  `json:"ended_at,omitempty"`
	Outcome   CronOutcome `json:"outcome"`
	Exit      *int        `json:"exit,omitempty" doc:"Exit code of the command; left out where it has none"`
	Said      string      `json:"said,omitempty" doc:"Its last lines, or why it did not run"`
	By        string      `json:"by,omitempty" doc:"Who asked for it; left out for the schedule"`
	Count     int         `json:"count,omitempty" doc:"How many runs were missed"`
}

// CronApp is an app whose live release has jobs.
type CronApp struct {
	Tenant  string
	App     string
	State   AppState
	Release int
	LiveAt  time.Time
	Jobs    []CronJob
}

// CronJobView is a job as its people see it.
type CronJobView struct {
	CronJob
	Next *time.Time `json:"next" doc:"When it runs next; null while the app is stopped"`
	Last *CronRun   `json:"last" doc:"Its newest run; null before the first"`
}
