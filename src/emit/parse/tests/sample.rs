//! A small folder of every kind of file, to be edited.

use crate::emit::parse::{Files, ParseFault, SourceText, files};

/// An output folder in memory.
#[derive(Clone, Debug)]
pub struct Sample {
    pub texts: Vec<SourceText>,
}

impl Sample {
    /// Every kind of file once.
    pub fn new() -> Self {
        let texts = [
            ("kubernetes/kustomization.yaml", KUSTOMIZATION.to_owned()),
            ("kubernetes/karpenter/l4-od.yaml", node_pool("l4-od", "on-demand", 10)),
            ("kubernetes/karpenter/l4-spot.yaml", node_pool("l4-spot", "spot", 20)),
            ("kubernetes/keda/chat-flex.yaml", CHAT_FLEX.to_owned()),
            ("kubernetes/keda/tutor-floor.yaml", TUTOR_FLOOR.to_owned()),
            ("kubernetes/keda/ocr.yaml", OCR.to_owned()),
            (
                "kubernetes/keda/ocr-gate.yaml",
                format!("{}---\n{}", gate("open", "paused-", "0 0 * * *"), gate("close", "paused=true", "0 6 * * *")),
            ),
            ("kubernetes/workloads/chat.yaml", CHAT.to_owned()),
            ("kubernetes/workloads/tune.yaml", TUNE.to_owned()),
            ("kubernetes/patches/tutor/floor.yaml", TUTOR_PATCH.to_owned()),
            ("kubernetes/patches/tutor/kustomization.yaml", TUTOR_COMPONENT.to_owned()),
            ("kubernetes/README.md", "# not read\n".to_owned()),
            ("plan.json", "{}".to_owned()),
            ("terraform/gpuplan.auto.tfvars.json", TFVARS.to_owned()),
        ];
        Self { texts: texts.into_iter().map(|(path, text)| SourceText { path: path.to_owned(), text }).collect() }
    }

    /// The text of the one file that contains it, replaced; `path` is the end of the file's path.
    pub fn edit(mut self, path: &str, from: &str, to: &str) -> Self {
        let file = self.texts.iter_mut().find(|file| file.path.ends_with(path)).unwrap_or_else(|| panic!("no {path}"));
        assert!(file.text.contains(from), "{path} has no {from:?}:\n{}", file.text);
        file.text = file.text.replacen(from, to, 1);
        self
    }

    /// Without a file.
    pub fn without(mut self, path: &str) -> Self {
        let before = self.texts.len();
        self.texts.retain(|file| !file.path.ends_with(path));
        assert!(self.texts.len() < before, "no {path}");
        self
    }

    /// With a file more, listed.
    pub fn with(mut self, path: &str, text: &str) -> Self {
        self.texts.push(SourceText { path: format!("kubernetes/{path}"), text: text.to_owned() });
        self.edit("kubernetes/kustomization.yaml", "resources:\n", &format!("resources:\n- {path}\n"))
    }

    pub fn read(&self) -> Result<Files, Vec<ParseFault>> {
        files(&self.texts)
    }

    /// What it says, when it is sound.
    pub fn sound(&self) -> Files {
        self.read().unwrap_or_else(|faults| panic!("{}", lines(&faults)))
    }
}

pub fn lines(faults: &[ParseFault]) -> String {
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

pub const KUSTOMIZATION: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- karpenter/l4-od.yaml
- karpenter/l4-spot.yaml
- keda/chat-flex.yaml
- keda/ocr-gate.yaml
- keda/ocr.yaml
- keda/tutor-floor.yaml
- workloads/chat.yaml
- workloads/tune.yaml
";

fn node_pool(name: &str, capacity: &str, weight: u32) -> String {
    let (policy, reasons) = if capacity == "spot" {
        ("WhenEmpty", "")
    } else {
        ("WhenEmptyOrUnderutilized", "    - nodes: \"1\"\n      reasons:\n      - Underutilized\n")
    };
    format!(
        "\
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: {name}
spec:
  weight: {weight}
  limits:
    nvidia.com/gpu: \"8\"
  disruption:
    consolidationPolicy: {policy}
    consolidateAfter: 60s
    budgets:
    - nodes: 100%
      reasons:
      - Empty
{reasons}  template:
    metadata:
      labels:
        gpuplan.dev/pool: {name}
    spec:
      nodeClassRef:
        group: karpenter.k8s.aws
        kind: EC2NodeClass
        name: gpuplan
      requirements:
      - key: karpenter.sh/capacity-type
        operator: In
        values:
        - {capacity}
      - key: node.kubernetes.io/instance-type
        operator: In
        values:
        - g6.xlarge
      - key: topology.kubernetes.io/region
        operator: In
        values:
        - us-east-1
      - key: topology.kubernetes.io/zone
        operator: In
        values:
        - us-east-1a
        - us-east-1c
      expireAfter: 720h
      taints:
      - key: nvidia.com/gpu
        value: \"true\"
        effect: NoSchedule
"
    )
}

const CHAT_FLEX: &str = "\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: chat-flex
  namespace: serving
  labels:
    app.kubernetes.io/name: chat
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: chat-flex
  pollingInterval: 15
  cooldownPeriod: 420
  minReplicaCount: 1
  maxReplicaCount: 6
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleUp:
          stabilizationWindowSeconds: 0
          selectPolicy: Max
          policies:
          - type: Pods
            value: 4
            periodSeconds: 15
          - type: Percent
            value: 100
            periodSeconds: 15
        scaleDown:
          stabilizationWindowSeconds: 300
          policies:
          - type: Percent
            value: 100
            periodSeconds: 15
  fallback:
    failureThreshold: 3
    replicas: 6
  triggers:
  - type: cron
    name: window-1
    metadata:
      timezone: Europe/Berlin
      start: 52 7 * * 1-5
      end: 0 19 * * 1-5
      desiredReplicas: \"4\"
  - type: prometheus
    name: load
    metricType: AverageValue
    metadata:
      serverAddress: http://prometheus.monitoring:9090
      query: sum(vllm:num_requests_running{model=\"chat\"})
      threshold: \"11.456\"
      activationThreshold: \"0\"
      ignoreNullValues: \"false\"
";

const TUTOR_FLOOR: &str = "\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: tutor-floor
  namespace: education
  labels:
    app.kubernetes.io/name: tutor
spec:
  scaleTargetRef:
    name: campus-tutor
  triggers:
  - type: cron
    metadata:
      timezone: America/New_York
      start: 48 13 * * 1,2,3,4,5
      end: 0 16 * * 1,2,3,4,5
      desiredReplicas: \"1\"
";

const OCR: &str = "\
apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata:
  name: ocr
  namespace: serving
  labels:
    app.kubernetes.io/name: ocr
spec:
  pollingInterval: 30
  minReplicaCount: 0
  maxReplicaCount: 4
  scalingStrategy:
    strategy: default
  jobTargetRef:
    parallelism: 1
    completions: 1
    activeDeadlineSeconds: 21600
    template:
      spec:
        nodeSelector:
          gpuplan.dev/pool: l4-od
        tolerations:
        - key: nvidia.com/gpu
          operator: Exists
          effect: NoSchedule
        containers:
        - name: worker
          resources:
            requests:
              cpu: 2500m
              memory: 12288Mi
              nvidia.com/gpu: \"1\"
            limits:
              memory: 12288Mi
              nvidia.com/gpu: \"1\"
  triggers:
  - type: aws-sqs-queue
    name: queue
    metadata:
      awsRegion: us-east-1
      queueLength: \"1\"
      queueURL: https://sqs.us-east-1.amazonaws.com/111122223333/ocr
";

fn gate(side: &str, annotation: &str, schedule: &str) -> String {
    format!(
        "\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: ocr-{side}-1
  namespace: serving
  labels:
    app.kubernetes.io/name: ocr
spec:
  timeZone: America/New_York
  schedule: {schedule}
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - name: kubectl
            command:
            - kubectl
            - annotate
            - --overwrite
            - --namespace
            - serving
            - scaledjobs.keda.sh/ocr
            - autoscaling.keda.sh/{annotation}
"
    )
}

const CHAT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat-floor
  namespace: serving
  labels:
    app.kubernetes.io/name: chat
spec:
  replicas: 2
  template:
    spec:
      nodeSelector:
        gpuplan.dev/pool: l4-od
      tolerations:
      - key: nvidia.com/gpu
        operator: Exists
        effect: NoSchedule
      containers:
      - name: server
        resources:
          requests:
            cpu: 2500m
            memory: 16Gi
            nvidia.com/gpu: \"1\"
          limits:
            memory: 16Gi
            nvidia.com/gpu: \"1\"
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat-flex
  namespace: serving
  labels:
    app.kubernetes.io/name: chat
spec:
  template:
    spec:
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchExpressions:
              - key: gpuplan.dev/pool
                operator: In
                values:
                - l4-spot
                - l4-od
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            preference:
              matchExpressions:
              - key: gpuplan.dev/pool
                operator: In
                values:
                - l4-spot
      tolerations:
      - key: nvidia.com/gpu
        operator: Exists
        effect: NoSchedule
      terminationGracePeriodSeconds: 60
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: topology.kubernetes.io/zone
        minDomains: 2
        whenUnsatisfiable: DoNotSchedule
      containers:
      - name: server
        resources:
          limits:
            nvidia.com/gpu: \"1\"
---
apiVersion: v1
kind: Service
metadata:
  name: chat
  namespace: serving
";

const TUNE: &str = "\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: tune
  namespace: ml
  labels:
    app.kubernetes.io/name: tune
spec:
  timeZone: Europe/Berlin
  schedule: 0 2 * * 6
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 12347
  jobTemplate:
    spec:
      parallelism: 4
      completions: 4
      activeDeadlineSeconds: 21600
      template:
        spec:
          nodeSelector:
            gpuplan.dev/pool: l4-od
          tolerations:
          - key: nvidia.com/gpu
            operator: Exists
            effect: NoSchedule
          containers:
          - name: worker
            resources:
              limits:
                nvidia.com/gpu: \"1\"
";

const TUTOR_PATCH: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: campus-tutor
  namespace: education
spec:
  template:
    spec:
      nodeSelector:
        gpuplan.dev/pool: l4-od
        $patch: replace
      tolerations:
      - key: nvidia.com/gpu
        operator: Exists
        effect: NoSchedule
      terminationGracePeriodSeconds: 45
";

const TUTOR_COMPONENT: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
- path: floor.yaml
  target:
    group: apps
    version: v1
    kind: Deployment
    name: ^campus-tutor$
- patch: |
    - op: add
      path: /spec/template/spec/containers/0/resources
      value:
        requests:
          cpu: 2500m
          memory: 8192Mi
          nvidia.com/gpu: \"1\"
        limits:
          memory: 8192Mi
          nvidia.com/gpu: \"1\"
  target:
    group: apps
    version: v1
    kind: Deployment
    name: ^campus-tutor$
";

const TFVARS: &str = r#"{
  "gpuplan": {
    "node_autoscaler": "karpenter"
  },
  "node_pools": {
    "l4-od": {
      "cloud": "aws",
      "region": "us-east-1",
      "zones": ["us-east-1a", "us-east-1c"],
      "instance_type": "g6.xlarge",
      "gpus_per_node": 1,
      "capacity_type": "on-demand",
      "min_nodes": 1,
      "max_nodes": 8,
      "limits": {"nodes": 8, "gpus": 8},
      "consolidate_after_s": 60,
      "labels": {"gpuplan.dev/pool": "l4-od"},
      "taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}]
    },
    "l4-spot": {
      "cloud": "aws",
      "region": "us-east-1",
      "zones": ["us-east-1a", "us-east-1c"],
      "instance_type": "g6.xlarge",
      "gpus_per_node": 1,
      "capacity_type": "spot",
      "min_nodes": 0,
      "max_nodes": 8,
      "limits": {"nodes": 8, "gpus": 8},
      "consolidate_after_s": 60,
      "labels": {"gpuplan.dev/pool": "l4-spot"},
      "taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}]
    }
  },
  "workloads": {
    "tutor": {"namespace": "education"}
  }
}
"#;
