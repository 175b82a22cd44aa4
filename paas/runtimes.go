package paas

// Runtimes says which OCI runtime runs an app's containers, and which could.
type Runtimes struct {
	Runtime string          `json:"runtime"` // that the app was given; empty: Default
	Default string          `json:"default"` // the installation's
	Choices []RuntimeChoice `json:"choices" nullable:"false"`
}

// RuntimeChoice is a runtime that the operator allows.
type RuntimeChoice struct {
	Name      string `json:"name"`
	Installed bool   `json:"installed"` // the engine has it
}
