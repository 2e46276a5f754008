// etcd, as its own project starts it. A module of its own: in the module of
// the Kubernetes components it would be built against an older etcd API.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
