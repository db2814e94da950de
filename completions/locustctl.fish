# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_locustctl_global_optspecs
    string join \n sandbox layout= trouble= kubeconfig= context= cluster= user= n/namespace= s/server= token= username= password= certificate-authority= client-certificate= client-key= insecure-skip-tls-verify tls-server-name= as= as-group= as-uid= as-user-extra= disable-compression match-server-version warnings-as-errors request-timeout= kuberc= cache-dir= log-flush-frequency= profile= profile-output= vmodule= v/v= h/help V/version
end

function __fish_locustctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_locustctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_locustctl_using_subcommand
    set -l cmd (__fish_locustctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c locustctl -n "__fish_locustctl_needs_command" -l layout -d 'The objects of the simulated cluster: a file with manifests, or one of tutorial, google, helm, locust-cloud, locust-io, late-master, no-endpoints [default: tutorial]' -r -f -a "tutorial\t''
google\t''
helm\t''
locust-cloud\t''
locust-io\t''
late-master\t''
no-endpoints\t''"
complete -c locustctl -n "__fish_locustctl_needs_command" -l trouble -d 'Keep new pods of the simulated cluster from starting: image (their image cannot be pulled) or room (no node has room for them)' -r -f -a "image\t'Their image cannot be pulled'
room\t'No node has room for them'"
complete -c locustctl -n "__fish_locustctl_needs_command" -l kubeconfig -d 'Path to the kubeconfig file' -r -F
complete -c locustctl -n "__fish_locustctl_needs_command" -l context -d 'The kubeconfig context to use' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l cluster -d 'The kubeconfig cluster to use' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l user -d 'The kubeconfig user to use' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -s n -l namespace -d 'The namespace to use' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -s s -l server -d 'Address and port of the Kubernetes API server' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l token -d 'Bearer token for the API server. Other users of this machine can see it in the process list; a kubeconfig hides it' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l username -d 'User name for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l password -d 'Password for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l certificate-authority -d 'PEM file with the certificate authorities of the API server' -r -F
complete -c locustctl -n "__fish_locustctl_needs_command" -l client-certificate -d 'Client certificate file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_needs_command" -l client-key -d 'Client key file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_needs_command" -l tls-server-name -d 'Name to verify the server\'s certificate against, instead of its host name' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l as -d 'Act as this user' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l as-group -d 'Act as a member of this group; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l as-uid -d 'Act as the user with this UID' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l as-user-extra -d 'Act with this extra attribute; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l request-timeout -d 'Time limit of one request: 30, 30s, 2m; 0 means no limit [default: 90s]' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l kuberc -d 'Path to the kuberc file with kubectl\'s preferences. The environment variable KUBERC=off disables it [default: $KUBERC, else ~/.kube/kuberc]' -r -F
complete -c locustctl -n "__fish_locustctl_needs_command" -l cache-dir -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l log-flush-frequency -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l profile -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l profile-output -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l vmodule -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -s v -l v -d 'Log level on stderr: 6 shows requests, 7 headers, 8 bodies, 9 curl commands' -r -f
complete -c locustctl -n "__fish_locustctl_needs_command" -l sandbox -d 'Use a simulated cluster, which ends with this command'
complete -c locustctl -n "__fish_locustctl_needs_command" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate. An attacker on the network can then read and change all traffic'
complete -c locustctl -n "__fish_locustctl_needs_command" -l disable-compression -d 'Do not request compressed responses from the server'
complete -c locustctl -n "__fish_locustctl_needs_command" -l match-server-version -d 'Require the server to have Kubernetes 1.36, the version that locustctl follows'
complete -c locustctl -n "__fish_locustctl_needs_command" -l warnings-as-errors -d 'Exit with an error if the server sent warnings. The change is still made'
complete -c locustctl -n "__fish_locustctl_needs_command" -s h -l help -d 'Print help'
complete -c locustctl -n "__fish_locustctl_needs_command" -s V -l version -d 'Print version'
complete -c locustctl -n "__fish_locustctl_needs_command" -f -a "scale" -d 'Set a new size for a Deployment, StatefulSet, ReplicaSet, ReplicationController, Job or LocustTest'
complete -c locustctl -n "__fish_locustctl_needs_command" -f -a "status" -d 'Show the cluster, the replicas, autoscalers, and the running test'
complete -c locustctl -n "__fish_locustctl_needs_command" -f -a "rebalance" -d 'Redistribute the users of a running test that has lost users or has idle workers'
complete -c locustctl -n "__fish_locustctl_needs_command" -f -a "run" -d 'Scale the workers, run a load test or a command, and put the old number of workers back'
complete -c locustctl -n "__fish_locustctl_needs_command" -f -a "serve" -d 'Serve a web page and an HTTP API to view and change the number of workers'
complete -c locustctl -n "__fish_locustctl_needs_command" -f -a "sandbox" -d 'Run a simulated cluster on loopback, for kubectl and scripts'
complete -c locustctl -n "__fish_locustctl_needs_command" -f -a "version" -d 'Print the versions of locustctl and of the Kubernetes server'
complete -c locustctl -n "__fish_locustctl_needs_command" -f -a "completion" -d 'Print the completion script for a shell'
complete -c locustctl -n "__fish_locustctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l replicas -d 'The new number of replicas. Required unless --by or --restore is given' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l by -d 'Add (+N) or remove (-N) this many replicas. If the result is negative, scale to 0' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l current-replicas -d 'Scale only if this is the current number of replicas; -1 means any number' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l resource-version -d 'Scale only if this is the current resource version' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -s l -l selector -d 'Scale the objects of the given types that match this label selector: a=b,c!=d,e in (f,g)' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -s f -l filename -d 'Scale the objects in these manifests: a file, a directory, a glob, a URL, or - for stdin' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -s k -l kustomize -d 'Scale the objects of the kustomization in this directory' -r -f -a "(__fish_complete_directories)"
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l timeout -d 'Time limit for waiting: 30s, 2m, 1h. The default is 5m with --wait and with --locust; otherwise scale does not wait. With --timeout alone, scale waits until as many pods exist as requested, as kubectl does. With --locust, the limit applies to each wait: for the pods, for Locust\'s master, for the connected workers, for the users of the test, and for each step if pods are removed in steps' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l locust-cookie-file -d 'File with the value of the Cookie header of a browser that is logged in to Locust. Needs --locust=URL' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l locust-auth-file -d 'File with the value of the Authorization header for a proxy in front of Locust: "Bearer TOKEN" or "Basic …". Needs --locust=URL' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l locust-certificate-authority -d 'PEM file with the certificate authorities for --locust=https://…. Only these are trusted' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l rebalance -d 'With --locust: how to redistribute the users of a running test: auto (all at once), ramp (at the test\'s spawn rate) or never [default: auto]' -r -f -a "auto\t'Start all lost users at once'
ramp\t'Start the lost users at the test\'s spawn rate'
never\t'Do not start users; locustctl only reports problems'"
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -s o -l output -d 'Print the changed object in this format, instead of one line for each target' -r -f -a "json\t''
yaml\t''
kyaml\t''
name\t''
go-template\t''
go-template-file\t''
template\t''
templatefile\t''
jsonpath\t''
jsonpath-as-json\t''
jsonpath-file\t''"
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l template -d 'Template for -o go-template or jsonpath. For -o go-template-file or jsonpath-file, the path of the template file' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l layout -d 'The objects of the simulated cluster: a file with manifests, or one of tutorial, google, helm, locust-cloud, locust-io, late-master, no-endpoints [default: tutorial]' -r -f -a "tutorial\t''
google\t''
helm\t''
locust-cloud\t''
locust-io\t''
late-master\t''
no-endpoints\t''"
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l trouble -d 'Keep new pods of the simulated cluster from starting: image (their image cannot be pulled) or room (no node has room for them)' -r -f -a "image\t'Their image cannot be pulled'
room\t'No node has room for them'"
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l kubeconfig -d 'Path to the kubeconfig file' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l context -d 'The kubeconfig context to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l cluster -d 'The kubeconfig cluster to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l user -d 'The kubeconfig user to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -s n -l namespace -d 'The namespace to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -s s -l server -d 'Address and port of the Kubernetes API server' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l token -d 'Bearer token for the API server. Other users of this machine can see it in the process list; a kubeconfig hides it' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l username -d 'User name for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l password -d 'Password for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l certificate-authority -d 'PEM file with the certificate authorities of the API server' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l client-certificate -d 'Client certificate file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l client-key -d 'Client key file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l tls-server-name -d 'Name to verify the server\'s certificate against, instead of its host name' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l as -d 'Act as this user' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l as-group -d 'Act as a member of this group; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l as-uid -d 'Act as the user with this UID' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l as-user-extra -d 'Act with this extra attribute; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l request-timeout -d 'Time limit of one request: 30, 30s, 2m; 0 means no limit [default: 90s]' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l kuberc -d 'Path to the kuberc file with kubectl\'s preferences. The environment variable KUBERC=off disables it [default: $KUBERC, else ~/.kube/kuberc]' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l cache-dir -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l log-flush-frequency -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l profile -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l profile-output -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l vmodule -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -s v -l v -d 'Log level on stderr: 6 shows requests, 7 headers, 8 bodies, 9 curl commands' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l remember -d 'Keep the old number in an annotation of the object, for --restore'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l restore -d 'Scale to the number that --remember has kept, and remove the annotation. It is an error if the current number is not the one that was set with --remember'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l all -d 'Scale all objects of the given types in the namespace'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l recursive -d 'Also read the subdirectories of a directory given with -f'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l wait -d 'Wait until the new pods are ready and the surplus pods are gone'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l locust -d 'Address of Locust\'s master: a URL, service/NAME[:PORT][/PATH] or pod/NAME[:PORT][/PATH] (through the API server), auto (look for it), or none (no Locust; not allowed for rebalance, nor for run without a COMMAND). Without a value: auto [default: $LOCUSTCTL_LOCUST; else none for scale, and auto for other commands]'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l at-once -d 'With --locust: remove all surplus pods in one step, even if this can break Locust\'s master (releases up to 2.46.5)'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l yes -d 'With --locust: skip the question before a change that loses users of a running test, starts many of them at once, or resets its statistics. Without a terminal, skip the warning'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l record -d 'Write the command into the object\'s annotation kubernetes.io/change-cause'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l dry-run -d 'Simulate the change: client (only print it), server (let the server check it) or none (make the change)'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l allow-missing-template-keys -d 'Ignore missing fields in templates. If false, a missing field is an error'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l show-managed-fields -d 'Keep metadata.managedFields in JSON and YAML'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l sandbox -d 'Use a simulated cluster, which ends with this command'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate. An attacker on the network can then read and change all traffic'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l disable-compression -d 'Do not request compressed responses from the server'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l match-server-version -d 'Require the server to have Kubernetes 1.36, the version that locustctl follows'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -l warnings-as-errors -d 'Exit with an error if the server sent warnings. The change is still made'
complete -c locustctl -n "__fish_locustctl_using_subcommand scale" -s h -l help -d 'Print help'
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -s o -l output -d 'Print in this format instead of text' -r -f -a "json\t''
yaml\t''"
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l locust-cookie-file -d 'File with the value of the Cookie header of a browser that is logged in to Locust. Needs --locust=URL' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l locust-auth-file -d 'File with the value of the Authorization header for a proxy in front of Locust: "Bearer TOKEN" or "Basic …". Needs --locust=URL' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l locust-certificate-authority -d 'PEM file with the certificate authorities for --locust=https://…. Only these are trusted' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l layout -d 'The objects of the simulated cluster: a file with manifests, or one of tutorial, google, helm, locust-cloud, locust-io, late-master, no-endpoints [default: tutorial]' -r -f -a "tutorial\t''
google\t''
helm\t''
locust-cloud\t''
locust-io\t''
late-master\t''
no-endpoints\t''"
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l trouble -d 'Keep new pods of the simulated cluster from starting: image (their image cannot be pulled) or room (no node has room for them)' -r -f -a "image\t'Their image cannot be pulled'
room\t'No node has room for them'"
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l kubeconfig -d 'Path to the kubeconfig file' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l context -d 'The kubeconfig context to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l cluster -d 'The kubeconfig cluster to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l user -d 'The kubeconfig user to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -s n -l namespace -d 'The namespace to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -s s -l server -d 'Address and port of the Kubernetes API server' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l token -d 'Bearer token for the API server. Other users of this machine can see it in the process list; a kubeconfig hides it' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l username -d 'User name for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l password -d 'Password for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l certificate-authority -d 'PEM file with the certificate authorities of the API server' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l client-certificate -d 'Client certificate file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l client-key -d 'Client key file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l tls-server-name -d 'Name to verify the server\'s certificate against, instead of its host name' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l as -d 'Act as this user' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l as-group -d 'Act as a member of this group; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l as-uid -d 'Act as the user with this UID' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l as-user-extra -d 'Act with this extra attribute; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l request-timeout -d 'Time limit of one request: 30, 30s, 2m; 0 means no limit [default: 90s]' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l kuberc -d 'Path to the kuberc file with kubectl\'s preferences. The environment variable KUBERC=off disables it [default: $KUBERC, else ~/.kube/kuberc]' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l cache-dir -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l log-flush-frequency -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l profile -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l profile-output -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l vmodule -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -s v -l v -d 'Log level on stderr: 6 shows requests, 7 headers, 8 bodies, 9 curl commands' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l watch -d 'Repeat every two seconds until Ctrl-C'
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l all-namespaces -d 'Show every Locust of the cluster: the workers, the test and its users'
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l locust -d 'Address of Locust\'s master: a URL, service/NAME[:PORT][/PATH] or pod/NAME[:PORT][/PATH] (through the API server), auto (look for it), or none (no Locust; not allowed for rebalance, nor for run without a COMMAND). Without a value: auto [default: $LOCUSTCTL_LOCUST; else none for scale, and auto for other commands]'
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l sandbox -d 'Use a simulated cluster, which ends with this command'
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate. An attacker on the network can then read and change all traffic'
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l disable-compression -d 'Do not request compressed responses from the server'
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l match-server-version -d 'Require the server to have Kubernetes 1.36, the version that locustctl follows'
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -l warnings-as-errors -d 'Exit with an error if the server sent warnings. The change is still made'
complete -c locustctl -n "__fish_locustctl_using_subcommand status" -s h -l help -d 'Print help'
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l locust-cookie-file -d 'File with the value of the Cookie header of a browser that is logged in to Locust. Needs --locust=URL' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l locust-auth-file -d 'File with the value of the Authorization header for a proxy in front of Locust: "Bearer TOKEN" or "Basic …". Needs --locust=URL' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l locust-certificate-authority -d 'PEM file with the certificate authorities for --locust=https://…. Only these are trusted' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l layout -d 'The objects of the simulated cluster: a file with manifests, or one of tutorial, google, helm, locust-cloud, locust-io, late-master, no-endpoints [default: tutorial]' -r -f -a "tutorial\t''
google\t''
helm\t''
locust-cloud\t''
locust-io\t''
late-master\t''
no-endpoints\t''"
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l trouble -d 'Keep new pods of the simulated cluster from starting: image (their image cannot be pulled) or room (no node has room for them)' -r -f -a "image\t'Their image cannot be pulled'
room\t'No node has room for them'"
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l kubeconfig -d 'Path to the kubeconfig file' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l context -d 'The kubeconfig context to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l cluster -d 'The kubeconfig cluster to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l user -d 'The kubeconfig user to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -s n -l namespace -d 'The namespace to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -s s -l server -d 'Address and port of the Kubernetes API server' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l token -d 'Bearer token for the API server. Other users of this machine can see it in the process list; a kubeconfig hides it' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l username -d 'User name for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l password -d 'Password for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l certificate-authority -d 'PEM file with the certificate authorities of the API server' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l client-certificate -d 'Client certificate file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l client-key -d 'Client key file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l tls-server-name -d 'Name to verify the server\'s certificate against, instead of its host name' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l as -d 'Act as this user' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l as-group -d 'Act as a member of this group; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l as-uid -d 'Act as the user with this UID' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l as-user-extra -d 'Act with this extra attribute; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l request-timeout -d 'Time limit of one request: 30, 30s, 2m; 0 means no limit [default: 90s]' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l kuberc -d 'Path to the kuberc file with kubectl\'s preferences. The environment variable KUBERC=off disables it [default: $KUBERC, else ~/.kube/kuberc]' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l cache-dir -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l log-flush-frequency -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l profile -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l profile-output -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l vmodule -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -s v -l v -d 'Log level on stderr: 6 shows requests, 7 headers, 8 bodies, 9 curl commands' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l locust -d 'Address of Locust\'s master: a URL, service/NAME[:PORT][/PATH] or pod/NAME[:PORT][/PATH] (through the API server), auto (look for it), or none (no Locust; not allowed for rebalance, nor for run without a COMMAND). Without a value: auto [default: $LOCUSTCTL_LOCUST; else none for scale, and auto for other commands]'
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l watch -d 'Watch the test until Ctrl-C, and redistribute its users when workers leave'
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l yes -d 'Skip the question before a rebalance that starts many users at once, or resets the statistics of the test. Without a terminal, skip the warning. No effect with --watch'
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l sandbox -d 'Use a simulated cluster, which ends with this command'
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate. An attacker on the network can then read and change all traffic'
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l disable-compression -d 'Do not request compressed responses from the server'
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l match-server-version -d 'Require the server to have Kubernetes 1.36, the version that locustctl follows'
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -l warnings-as-errors -d 'Exit with an error if the server sent warnings. The change is still made'
complete -c locustctl -n "__fish_locustctl_using_subcommand rebalance" -s h -l help -d 'Print help'
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l replicas -d 'The number of workers during the run. Without --replicas and --users-per-worker, nothing is scaled' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l users-per-worker -d 'Derive the number of workers from --users: one worker for this many users' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -s u -l users -d 'The number of users' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -s r -l spawn-rate -d 'Users to start per second [default: 1]' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -s t -l run-time -d 'The run time: 20s, 10m, 1h30m, or a number of seconds. Required unless a LoadTestShape runs. Locust gets it as well, so the test ends even if locustctl is killed' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -s H -l host -d 'The host to test [default: that of the locustfile]' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l user-class -d 'A user class to run; can be repeated. Needs a master with --class-picker' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l shape-class -d 'The LoadTestShape class to run. Needs a master with --class-picker' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l option -d 'A custom option of the locustfile: KEY=VALUE; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l fail-if -d 'Fail the test if its final results meet this condition: \'[NAME: ]METRIC OP VALUE\', as in \'p95 > 800ms\' or \'GET /login: failures > 1%\'; can be repeated. METRIC is a percentile (p50 to p100), min, max, avg, median, rps, requests, failures or users. Without --fail-if, any failed request fails the test' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l abort-if -d 'End the test as soon as this condition is met, and fail it; can be repeated. The form is that of --fail-if' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l html -d 'Write Locust\'s own report to this file' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l csv -d 'Write Locust\'s CSV files. Their names begin with this prefix: PREFIX_stats.csv, PREFIX_stats_history.csv, PREFIX_failures.csv, PREFIX_exceptions.csv' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l json-file -d 'Write the whole report as JSON to this file' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l junit -d 'Write the conditions as test cases in JUnit\'s XML to this file' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l markdown -d 'Append a summary in Markdown to this file, for example "$GITHUB_STEP_SUMMARY"' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -s o -l output -d 'Print the whole report in this format instead of the summary: json' -r -f -a "json\t''"
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l wait-for-idle -d 'Wait at most this long until no test is running and no other run uses the workers. Without this flag, a running test or another run is an error' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l timeout -d 'Time limit of each wait: for the pods, for the workers, for a server that does not answer' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l locust-cookie-file -d 'File with the value of the Cookie header of a browser that is logged in to Locust. Needs --locust=URL' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l locust-auth-file -d 'File with the value of the Authorization header for a proxy in front of Locust: "Bearer TOKEN" or "Basic …". Needs --locust=URL' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l locust-certificate-authority -d 'PEM file with the certificate authorities for --locust=https://…. Only these are trusted' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l layout -d 'The objects of the simulated cluster: a file with manifests, or one of tutorial, google, helm, locust-cloud, locust-io, late-master, no-endpoints [default: tutorial]' -r -f -a "tutorial\t''
google\t''
helm\t''
locust-cloud\t''
locust-io\t''
late-master\t''
no-endpoints\t''"
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l trouble -d 'Keep new pods of the simulated cluster from starting: image (their image cannot be pulled) or room (no node has room for them)' -r -f -a "image\t'Their image cannot be pulled'
room\t'No node has room for them'"
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l kubeconfig -d 'Path to the kubeconfig file' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l context -d 'The kubeconfig context to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l cluster -d 'The kubeconfig cluster to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l user -d 'The kubeconfig user to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -s n -l namespace -d 'The namespace to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -s s -l server -d 'Address and port of the Kubernetes API server' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l token -d 'Bearer token for the API server. Other users of this machine can see it in the process list; a kubeconfig hides it' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l username -d 'User name for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l password -d 'Password for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l certificate-authority -d 'PEM file with the certificate authorities of the API server' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l client-certificate -d 'Client certificate file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l client-key -d 'Client key file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l tls-server-name -d 'Name to verify the server\'s certificate against, instead of its host name' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l as -d 'Act as this user' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l as-group -d 'Act as a member of this group; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l as-uid -d 'Act as the user with this UID' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l as-user-extra -d 'Act with this extra attribute; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l request-timeout -d 'Time limit of one request: 30, 30s, 2m; 0 means no limit [default: 90s]' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l kuberc -d 'Path to the kuberc file with kubectl\'s preferences. The environment variable KUBERC=off disables it [default: $KUBERC, else ~/.kube/kuberc]' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l cache-dir -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l log-flush-frequency -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l profile -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l profile-output -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l vmodule -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -s v -l v -d 'Log level on stderr: 6 shows requests, 7 headers, 8 bodies, 9 curl commands' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l keep -d 'Keep the new number of workers after the run. With a command, also keep a test that it left running'
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l dry-run -d 'Check the flags, the workers and Locust, let the API server check the new number, and change nothing'
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l locust -d 'Address of Locust\'s master: a URL, service/NAME[:PORT][/PATH] or pod/NAME[:PORT][/PATH] (through the API server), auto (look for it), or none (no Locust; not allowed for rebalance, nor for run without a COMMAND). Without a value: auto [default: $LOCUSTCTL_LOCUST; else none for scale, and auto for other commands]'
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l sandbox -d 'Use a simulated cluster, which ends with this command'
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate. An attacker on the network can then read and change all traffic'
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l disable-compression -d 'Do not request compressed responses from the server'
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l match-server-version -d 'Require the server to have Kubernetes 1.36, the version that locustctl follows'
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -l warnings-as-errors -d 'Exit with an error if the server sent warnings. The change is still made'
complete -c locustctl -n "__fish_locustctl_using_subcommand run" -s h -l help -d 'Print help'
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l listen -d 'Address and port to listen on; port 0 means any free port' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l min-replicas -d 'Refuse to scale to fewer replicas' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l max-replicas -d 'Refuse to scale to more replicas' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l auth -d 'Access control. With --auth=none, anyone who can reach the address has access. Without other authentication, serve needs --auth=none to listen beyond loopback' -r -f -a "none\t'Allow anyone who can reach the address'"
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l auth-token-file -d 'File with bearer tokens, one on each line: TOKEN or NAME TOKEN' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l session-key-file -d 'File with the key that signs sessions, at least 32 characters. With it, a restart of serve signs no one out' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l auth-proxy-header -d 'Header with the user name from a trusted proxy, such as X-Forwarded-User' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l trusted-proxy -d 'Addresses of trusted proxies, such as 10.0.0.0/8; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l allowed-host -d 'Host name of the page, in addition to localhost; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l tls-cert -d 'Certificate file for TLS. It is read again when it changes' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l tls-key -d 'Private key file of the certificate' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l locust-cookie-file -d 'File with the value of the Cookie header of a browser that is logged in to Locust. Needs --locust=URL' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l locust-auth-file -d 'File with the value of the Authorization header for a proxy in front of Locust: "Bearer TOKEN" or "Basic …". Needs --locust=URL' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l locust-certificate-authority -d 'PEM file with the certificate authorities for --locust=https://…. Only these are trusted' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l history-configmap -d 'Existing ConfigMap in the namespace of the workers, for the history. Without it, a restart clears the history' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l lease -d 'Lease in the namespace of the workers. If several replicas of serve run, only the holder of the Lease redistributes the users of a running test automatically' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l rebalance -d 'When to redistribute the users of a running test' -r -f -a "auto\t'After a change through serve'
always\t'After a change through serve, and when workers leave for another reason'
never\t'Never automatically; the button on the page still works'"
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l layout -d 'The objects of the simulated cluster: a file with manifests, or one of tutorial, google, helm, locust-cloud, locust-io, late-master, no-endpoints [default: tutorial]' -r -f -a "tutorial\t''
google\t''
helm\t''
locust-cloud\t''
locust-io\t''
late-master\t''
no-endpoints\t''"
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l trouble -d 'Keep new pods of the simulated cluster from starting: image (their image cannot be pulled) or room (no node has room for them)' -r -f -a "image\t'Their image cannot be pulled'
room\t'No node has room for them'"
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l kubeconfig -d 'Path to the kubeconfig file' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l context -d 'The kubeconfig context to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l cluster -d 'The kubeconfig cluster to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l user -d 'The kubeconfig user to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -s n -l namespace -d 'The namespace to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -s s -l server -d 'Address and port of the Kubernetes API server' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l token -d 'Bearer token for the API server. Other users of this machine can see it in the process list; a kubeconfig hides it' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l username -d 'User name for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l password -d 'Password for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l certificate-authority -d 'PEM file with the certificate authorities of the API server' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l client-certificate -d 'Client certificate file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l client-key -d 'Client key file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l tls-server-name -d 'Name to verify the server\'s certificate against, instead of its host name' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l as -d 'Act as this user' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l as-group -d 'Act as a member of this group; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l as-uid -d 'Act as the user with this UID' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l as-user-extra -d 'Act with this extra attribute; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l request-timeout -d 'Time limit of one request: 30, 30s, 2m; 0 means no limit [default: 90s]' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l kuberc -d 'Path to the kuberc file with kubectl\'s preferences. The environment variable KUBERC=off disables it [default: $KUBERC, else ~/.kube/kuberc]' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l cache-dir -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l log-flush-frequency -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l profile -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l profile-output -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l vmodule -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -s v -l v -d 'Log level on stderr: 6 shows requests, 7 headers, 8 bodies, 9 curl commands' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l open -d 'Open the page in the browser'
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l allow-cross-site -d 'Let pages of other sites start, stop and change tests in Locust\'s web UI. Only Locust\'s own page may do so by default'
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l locust-ui -d 'Serve Locust\'s web UI, with a panel for the workers in its page'
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l locust -d 'Address of Locust\'s master: a URL, service/NAME[:PORT][/PATH] or pod/NAME[:PORT][/PATH] (through the API server), auto (look for it), or none (no Locust; not allowed for rebalance, nor for run without a COMMAND). Without a value: auto [default: $LOCUSTCTL_LOCUST; else none for scale, and auto for other commands]'
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l sandbox -d 'Use a simulated cluster, which ends with this command'
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate. An attacker on the network can then read and change all traffic'
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l disable-compression -d 'Do not request compressed responses from the server'
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l match-server-version -d 'Require the server to have Kubernetes 1.36, the version that locustctl follows'
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -l warnings-as-errors -d 'Exit with an error if the server sent warnings. The change is still made'
complete -c locustctl -n "__fish_locustctl_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l pod-ready-after -d 'Time until a new pod is ready' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l latency -d 'Delay of every response, to simulate a remote cluster' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l locust-release -d 'The release of Locust to simulate, from 2.22.0 to 2.47.0' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l port -d 'Port to listen on; 0 means any free port' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l layout -d 'The objects of the simulated cluster: a file with manifests, or one of tutorial, google, helm, locust-cloud, locust-io, late-master, no-endpoints [default: tutorial]' -r -f -a "tutorial\t''
google\t''
helm\t''
locust-cloud\t''
locust-io\t''
late-master\t''
no-endpoints\t''"
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l trouble -d 'Keep new pods of the simulated cluster from starting: image (their image cannot be pulled) or room (no node has room for them)' -r -f -a "image\t'Their image cannot be pulled'
room\t'No node has room for them'"
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l kubeconfig -d 'Path to the kubeconfig file' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l context -d 'The kubeconfig context to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l cluster -d 'The kubeconfig cluster to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l user -d 'The kubeconfig user to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -s n -l namespace -d 'The namespace to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -s s -l server -d 'Address and port of the Kubernetes API server' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l token -d 'Bearer token for the API server. Other users of this machine can see it in the process list; a kubeconfig hides it' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l username -d 'User name for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l password -d 'Password for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l certificate-authority -d 'PEM file with the certificate authorities of the API server' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l client-certificate -d 'Client certificate file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l client-key -d 'Client key file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l tls-server-name -d 'Name to verify the server\'s certificate against, instead of its host name' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l as -d 'Act as this user' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l as-group -d 'Act as a member of this group; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l as-uid -d 'Act as the user with this UID' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l as-user-extra -d 'Act with this extra attribute; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l request-timeout -d 'Time limit of one request: 30, 30s, 2m; 0 means no limit [default: 90s]' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l kuberc -d 'Path to the kuberc file with kubectl\'s preferences. The environment variable KUBERC=off disables it [default: $KUBERC, else ~/.kube/kuberc]' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l cache-dir -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l log-flush-frequency -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l profile -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l profile-output -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l vmodule -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -s v -l v -d 'Log level on stderr: 6 shows requests, 7 headers, 8 bodies, 9 curl commands' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l sandbox -d 'Use a simulated cluster, which ends with this command'
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate. An attacker on the network can then read and change all traffic'
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l disable-compression -d 'Do not request compressed responses from the server'
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l match-server-version -d 'Require the server to have Kubernetes 1.36, the version that locustctl follows'
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -l warnings-as-errors -d 'Exit with an error if the server sent warnings. The change is still made'
complete -c locustctl -n "__fish_locustctl_using_subcommand sandbox" -s h -l help -d 'Print help'
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -s o -l output -d 'Print in this format instead of text' -r -f -a "json\t''
yaml\t''"
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l layout -d 'The objects of the simulated cluster: a file with manifests, or one of tutorial, google, helm, locust-cloud, locust-io, late-master, no-endpoints [default: tutorial]' -r -f -a "tutorial\t''
google\t''
helm\t''
locust-cloud\t''
locust-io\t''
late-master\t''
no-endpoints\t''"
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l trouble -d 'Keep new pods of the simulated cluster from starting: image (their image cannot be pulled) or room (no node has room for them)' -r -f -a "image\t'Their image cannot be pulled'
room\t'No node has room for them'"
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l kubeconfig -d 'Path to the kubeconfig file' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l context -d 'The kubeconfig context to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l cluster -d 'The kubeconfig cluster to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l user -d 'The kubeconfig user to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -s n -l namespace -d 'The namespace to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -s s -l server -d 'Address and port of the Kubernetes API server' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l token -d 'Bearer token for the API server. Other users of this machine can see it in the process list; a kubeconfig hides it' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l username -d 'User name for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l password -d 'Password for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l certificate-authority -d 'PEM file with the certificate authorities of the API server' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l client-certificate -d 'Client certificate file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l client-key -d 'Client key file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l tls-server-name -d 'Name to verify the server\'s certificate against, instead of its host name' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l as -d 'Act as this user' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l as-group -d 'Act as a member of this group; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l as-uid -d 'Act as the user with this UID' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l as-user-extra -d 'Act with this extra attribute; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l request-timeout -d 'Time limit of one request: 30, 30s, 2m; 0 means no limit [default: 90s]' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l kuberc -d 'Path to the kuberc file with kubectl\'s preferences. The environment variable KUBERC=off disables it [default: $KUBERC, else ~/.kube/kuberc]' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l cache-dir -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l log-flush-frequency -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l profile -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l profile-output -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l vmodule -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -s v -l v -d 'Log level on stderr: 6 shows requests, 7 headers, 8 bodies, 9 curl commands' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l client -d 'Print only the version of locustctl, without asking the server'
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l sandbox -d 'Use a simulated cluster, which ends with this command'
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate. An attacker on the network can then read and change all traffic'
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l disable-compression -d 'Do not request compressed responses from the server'
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l match-server-version -d 'Require the server to have Kubernetes 1.36, the version that locustctl follows'
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -l warnings-as-errors -d 'Exit with an error if the server sent warnings. The change is still made'
complete -c locustctl -n "__fish_locustctl_using_subcommand version" -s h -l help -d 'Print help'
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l layout -d 'The objects of the simulated cluster: a file with manifests, or one of tutorial, google, helm, locust-cloud, locust-io, late-master, no-endpoints [default: tutorial]' -r -f -a "tutorial\t''
google\t''
helm\t''
locust-cloud\t''
locust-io\t''
late-master\t''
no-endpoints\t''"
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l trouble -d 'Keep new pods of the simulated cluster from starting: image (their image cannot be pulled) or room (no node has room for them)' -r -f -a "image\t'Their image cannot be pulled'
room\t'No node has room for them'"
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l kubeconfig -d 'Path to the kubeconfig file' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l context -d 'The kubeconfig context to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l cluster -d 'The kubeconfig cluster to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l user -d 'The kubeconfig user to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -s n -l namespace -d 'The namespace to use' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -s s -l server -d 'Address and port of the Kubernetes API server' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l token -d 'Bearer token for the API server. Other users of this machine can see it in the process list; a kubeconfig hides it' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l username -d 'User name for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l password -d 'Password for basic authentication' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l certificate-authority -d 'PEM file with the certificate authorities of the API server' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l client-certificate -d 'Client certificate file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l client-key -d 'Client key file for TLS' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l tls-server-name -d 'Name to verify the server\'s certificate against, instead of its host name' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l as -d 'Act as this user' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l as-group -d 'Act as a member of this group; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l as-uid -d 'Act as the user with this UID' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l as-user-extra -d 'Act with this extra attribute; can be repeated' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l request-timeout -d 'Time limit of one request: 30, 30s, 2m; 0 means no limit [default: 90s]' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l kuberc -d 'Path to the kuberc file with kubectl\'s preferences. The environment variable KUBERC=off disables it [default: $KUBERC, else ~/.kube/kuberc]' -r -F
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l cache-dir -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l log-flush-frequency -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l profile -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l profile-output -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l vmodule -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -s v -l v -d 'Log level on stderr: 6 shows requests, 7 headers, 8 bodies, 9 curl commands' -r -f
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l static -d 'Print a static script. It completes flags, but no names of contexts, namespaces or objects'
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l sandbox -d 'Use a simulated cluster, which ends with this command'
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate. An attacker on the network can then read and change all traffic'
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l disable-compression -d 'Do not request compressed responses from the server'
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l match-server-version -d 'Require the server to have Kubernetes 1.36, the version that locustctl follows'
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -l warnings-as-errors -d 'Exit with an error if the server sent warnings. The change is still made'
complete -c locustctl -n "__fish_locustctl_using_subcommand completion" -s h -l help -d 'Print help'
complete -c locustctl -n "__fish_locustctl_using_subcommand help; and not __fish_seen_subcommand_from scale status rebalance run serve sandbox version completion help" -f -a "scale" -d 'Set a new size for a Deployment, StatefulSet, ReplicaSet, ReplicationController, Job or LocustTest'
complete -c locustctl -n "__fish_locustctl_using_subcommand help; and not __fish_seen_subcommand_from scale status rebalance run serve sandbox version completion help" -f -a "status" -d 'Show the cluster, the replicas, autoscalers, and the running test'
complete -c locustctl -n "__fish_locustctl_using_subcommand help; and not __fish_seen_subcommand_from scale status rebalance run serve sandbox version completion help" -f -a "rebalance" -d 'Redistribute the users of a running test that has lost users or has idle workers'
complete -c locustctl -n "__fish_locustctl_using_subcommand help; and not __fish_seen_subcommand_from scale status rebalance run serve sandbox version completion help" -f -a "run" -d 'Scale the workers, run a load test or a command, and put the old number of workers back'
complete -c locustctl -n "__fish_locustctl_using_subcommand help; and not __fish_seen_subcommand_from scale status rebalance run serve sandbox version completion help" -f -a "serve" -d 'Serve a web page and an HTTP API to view and change the number of workers'
complete -c locustctl -n "__fish_locustctl_using_subcommand help; and not __fish_seen_subcommand_from scale status rebalance run serve sandbox version completion help" -f -a "sandbox" -d 'Run a simulated cluster on loopback, for kubectl and scripts'
complete -c locustctl -n "__fish_locustctl_using_subcommand help; and not __fish_seen_subcommand_from scale status rebalance run serve sandbox version completion help" -f -a "version" -d 'Print the versions of locustctl and of the Kubernetes server'
complete -c locustctl -n "__fish_locustctl_using_subcommand help; and not __fish_seen_subcommand_from scale status rebalance run serve sandbox version completion help" -f -a "completion" -d 'Print the completion script for a shell'
complete -c locustctl -n "__fish_locustctl_using_subcommand help; and not __fish_seen_subcommand_from scale status rebalance run serve sandbox version completion help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
