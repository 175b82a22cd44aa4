package paas

// DiskUse is what the files of a tenant take, in bytes on the disk.
type DiskUse struct {
	Tenant    string `json:"tenant"`
	Releases  int64  `json:"releases"` // sources kept for rollback, and what was pushed with git
	Archive   int64  `json:"archive"`  // log records as files
	Volumes   int64  `json:"volumes"`
	Databases int64  `json:"databases"` // of its apps, as last measured
	Wheels    int64  `json:"wheels"`    // what pip fetched and built, for the next installations
	Output    int64  `json:"output"`    // what the engine keeps of the replicas' stdout and stderr
	Total     int64  `json:"total"`

	// Layers are the dependencies of kept releases. Those that another tenant has
	// too are one on the disk, and counted for both; so they are no part of Total.
	Layers int64 `json:"layers"`
}

// DiskReport is what the platform's files take, and what is left.
type DiskReport struct {
	Tenants []DiskUse `json:"tenants"`

	// What belongs to no tenant, by what it is: layers, stream, database, …;
	// operators alone see it.
	Shared map[string]int64 `json:"shared,omitempty"`

	// Spare is what nobody needs and a collection would free: layers of no kept
	// release. Operators alone see it.
	Spare int64 `json:"spare,omitempty"`

	Free   int64  `json:"free"`   // bytes of the disk
	Size   int64  `json:"size"`   // bytes of the disk
	Refuse int64  `json:"refuse"` // below so much free space no deploy is taken
	Warn   int64  `json:"warn"`   // below so much it is told
	Says   string `json:"says"`   // what is wrong, and what to do; empty: nothing
}
