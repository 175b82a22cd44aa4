package paas

// Asked is what the desired replicas of a tenant's apps ask for together.
type Asked struct {
	Tenant   string  `json:"tenant"`
	Apps     int     `json:"apps"`
	Replicas int     `json:"replicas"`
	CPU      float64 `json:"cpu"`    // cores
	Memory   int64   `json:"memory"` // bytes
}
