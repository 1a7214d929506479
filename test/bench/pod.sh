#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pod.sh SECONDS - prints the review of an ordinary pod, some 7.4 KB, compact as an API server sends it:
# two containers with probes and environment, managed fields, and the automounted token volume
# that requests SECONDS.
set -eu

managed() { # CONTAINER: its part of the managed fields
    cat <<END
"k:{\"name\":\"$1\"}":{".":{},"f:env":{".":{},
"k:{\"name\":\"DATABASE_URL\"}":{".":{},"f:name":{},"f:valueFrom":{".":{},"f:secretKeyRef":{}}},
"k:{\"name\":\"LOG_LEVEL\"}":{".":{},"f:name":{},"f:value":{}}},
"f:image":{},"f:imagePullPolicy":{},"f:livenessProbe":{".":{},"f:failureThreshold":{},
"f:httpGet":{".":{},"f:path":{},"f:port":{},"f:scheme":{}},"f:periodSeconds":{},
"f:successThreshold":{},"f:timeoutSeconds":{}},"f:name":{},"f:ports":{".":{},
"k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:name":{},
"f:protocol":{}}},"f:resources":{".":{},"f:limits":{".":{},"f:memory":{}},
"f:requests":{".":{},"f:cpu":{},"f:memory":{}}},"f:securityContext":{".":{},
"f:allowPrivilegeEscalation":{},"f:capabilities":{".":{},"f:drop":{}}},
"f:terminationMessagePath":{},"f:terminationMessagePolicy":{},"f:volumeMounts":{".":{},
"k:{\"mountPath\":\"/etc/shop\"}":{".":{},"f:mountPath":{},"f:name":{}}}}
END
}

container() { # NAME
    cat <<END
{"name":"$1","image":"registry.example.com/shop/$1:v1.24.3",
"args":["--listen=:8080","--config=/etc/shop/config.yaml"],
"ports":[{"name":"http","containerPort":8080,"protocol":"TCP"}],
"env":[{"name":"DATABASE_URL","valueFrom":{"secretKeyRef":{"name":"db","key":"url"}}},
{"name":"LOG_LEVEL","value":"info"},
{"name":"POD_IP","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"status.podIP"}}}],
"resources":{"limits":{"memory":"256Mi"},"requests":{"cpu":"100m","memory":"128Mi"}},
"volumeMounts":[{"name":"config","mountPath":"/etc/shop"},{"name":"kube-api-access-x7k2p",
"readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],
"livenessProbe":{"httpGet":{"path":"/healthz","port":"http","scheme":"HTTP"},
"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3},
"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File",
"imagePullPolicy":"IfNotPresent","securityContext":{"capabilities":{"drop":["ALL"]},
"runAsNonRoot":true,"readOnlyRootFilesystem":true,"allowPrivilegeEscalation":false}}
END
}

tr -d '\n' <<END
{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{
"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","kind":{"group":"","version":"v1","kind":"Pod"},
"resource":{"group":"","version":"v1","resource":"pods"},
"requestKind":{"group":"","version":"v1","kind":"Pod"},
"requestResource":{"group":"","version":"v1","resource":"pods"},
"name":"checkout-6d4cf56db6-x2lqk","namespace":"shop","operation":"CREATE",
"userInfo":{"username":"system:serviceaccount:kube-system:replicaset-controller",
"uid":"28e2e473-bec4-463a-a117-5e34839de076","groups":["system:serviceaccounts",
"system:serviceaccounts:kube-system","system:authenticated"],"extra":{
"authentication.kubernetes.io/credential-id":["JTI=094e1ab5-4dc7-4ac0-b38c-80289150ade0"]}},
"object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"checkout-6d4cf56db6-x2lqk",
"generateName":"checkout-6d4cf56db6-","namespace":"shop",
"uid":"2dd16bf8-b6d7-41e0-82ff-11fa3631a81b","generation":1,
"creationTimestamp":"2026-11-22T15:12:52Z","labels":{"app.kubernetes.io/name":"checkout",
"app.kubernetes.io/part-of":"shop","app.kubernetes.io/version":"1.24.3",
"pod-template-hash":"6d4cf56db6"},"annotations":{"prometheus.io/scrape":"true",
"prometheus.io/port":"8080","checksum/config":
"9b74c9897bac770ffc029102a200c5de1b2a8e6f5c7d3e0a4f8b6c2d1e0f9a8b","kubectl.kubernetes.io/restartedAt":"2026-11-20T09:30:00Z"},
"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"checkout-6d4cf56db6",
"uid":"70c98688-277c-4411-9cad-c6a18092f69e","controller":true,"blockOwnerDeletion":true}],
"managedFields":[{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1",
"time":"2026-11-22T15:12:52Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{
"f:annotations":{".":{},"f:prometheus.io/scrape":{}},"f:generateName":{},
"f:labels":{".":{},"f:pod-template-hash":{}},"f:ownerReferences":{".":{}}},
"f:spec":{"f:containers":{$(managed checkout),$(managed proxy)},"f:dnsPolicy":{},
"f:enableServiceLinks":{},"f:restartPolicy":{},"f:schedulerName":{},"f:serviceAccount":{},
"f:serviceAccountName":{}}}}]},
"spec":{"volumes":[{"name":"config","configMap":{"name":"checkout","defaultMode":420}},
{"name":"kube-api-access-x7k2p","projected":{"sources":[
{"serviceAccountToken":{"expirationSeconds":$1,"path":"token"}},
{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},
{"downwardAPI":{"items":[{"path":"namespace",
"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"}}]}}],"defaultMode":420}}],
"containers":[$(container checkout),$(container proxy)],
"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst",
"serviceAccountName":"web","serviceAccount":"web","securityContext":{"runAsUser":10001,
"fsGroup":10001,"seccompProfile":{"type":"RuntimeDefault"}},
"schedulerName":"default-scheduler","tolerations":[{"key":"node.kubernetes.io/not-ready",
"operator":"Exists","effect":"NoExecute","tolerationSeconds":300},
{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute",
"tolerationSeconds":300}],"priority":0,"enableServiceLinks":true,
"preemptionPolicy":"PreemptLowerPriority","topologySpreadConstraints":[{"maxSkew":1,
"topologyKey":"topology.kubernetes.io/zone","whenUnsatisfiable":"ScheduleAnyway",
"labelSelector":{"matchLabels":{"app.kubernetes.io/name":"checkout"}}}]},
"status":{"phase":"Pending","qosClass":"Burstable"}},"oldObject":null,"dryRun":false,
"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}
END
