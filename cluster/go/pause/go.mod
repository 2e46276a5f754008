module microservice-platform.io/cluster/pause

go 1.26.0
