// conditions: every condition type and reason the operator writes, with what it means and what to do. docs/reference/conditions.md
// is generated from this table; a reason that is not here does not compile.

export const conditionTypes = {
  Accepted: "The spec is understood and everything it names exists.",
  ModelReady: "The model's files are where pods find them.",
  EnginesReady: "The TensorRT engines of a ModelCache are built.",
  CapacityAvailable: "The cluster has room for the wanted pods.",
  Warm: "Every pod that serves has run its warm-up.",
  Available: "At least the workers that may never be missing serve.",
  Progressing: "Pods are on their way to what is wanted.",
  ScalingActive: "The number of workers follows its owner.",
  SLOMet: "First useful text comes within the target, as routers measure it.",
  Degraded: "Something works less well than it should.",
  Ready: "Summary. Its message names the worst cause.",
} as const;

export type ConditionType = keyof typeof conditionTypes;

interface Reason {
  readonly means: string;
  readonly todo: string;
}

export const reasonTable = {
  AsExpected: { means: "Nothing is wrong.", todo: "Nothing." },
  Complete: { means: "Everything wanted is there.", todo: "Nothing." },
  Suspended: { means: "`spec.suspend` is true.", todo: "Set it to false when workers are wanted again." },
  NoReplicasWanted: { means: "The wanted number of workers is 0.", todo: "Raise it, if editors shall be served." },
  InvalidSpec: {
    means: "The object holds what this version of the operator does not accept: it was written under another CRD.",
    todo: "Install the CRDs of the operator's release, apply the object again and read what the apiserver says.",
  },
  GPUClassMissing: { means: "`gpu.classRef` names no GPUClass.", todo: "Create it, or correct the name." },
  GPUClassMode: {
    means: "The GPUClass cannot be had in the mode that the pool asks for.",
    todo: "Set `gpu.mode` to what the class offers, or add `devicePlugin` or `dra` to the class.",
  },
  ModelCacheMissing: {
    means: "`model.cacheRef` or the draft's names no ModelCache of the namespace.",
    todo: "Create it, or correct the name.",
  },
  ModelRevisionDiffers: {
    means: "The pool asks for another revision than its ModelCache holds.",
    todo: "Make a ModelCache of the new revision and name it in `cacheRef`.",
  },
  LeaderWorkerSetMissing: {
    means: "`parallelism.nodes` is above 1, and the cluster has no LeaderWorkerSet.",
    todo: "Install LeaderWorkerSet (leaderworkerset.x-k8s.io), or use one node.",
  },
  PoolMissing: { means: "A tier names a WorkerPool that is not there.", todo: "Create it, or correct the name." },
  Downloading: { means: "The model is being downloaded.", todo: "Wait; the message says since when." },
  DownloadFailed: {
    means: "The download failed, as often as it may.",
    todo: "Read the message and the Job's log; check address, token, proxy, authorities and the volume's size.",
  },
  ChecksumMismatch: {
    means: "What was downloaded is not what `checksum` says.",
    todo: "Correct the checksum, or find out who changed the files. Nothing was kept.",
  },
  EngineMissing: {
    means: "The pool's ModelCache has no engine for its GPU class, version and parallelism.",
    todo: "Add one to `engines` of the ModelCache, or set `engine.backend` to PyTorch.",
  },
  BuildingEngine: {
    means: "A TensorRT engine is being built, or waits for what it is built from.",
    todo: "Wait; the message says since when. Workers of a revision before go on serving.",
  },
  EngineBuildFailed: {
    means: "The build failed, as often as it may.",
    todo: "Read the message and the Job's log; correct `engines` of the ModelCache, or delete the Job to try again.",
  },
  VolumePending: {
    means: "The volume of the model is not bound.",
    todo: "Check `storageClassName`, `accessMode` and the provisioner.",
  },
  Unschedulable: {
    means: "Pods find no node.",
    todo: "Read the message: free or add GPUs, check labels and taints of the GPUClass. The old revision goes on serving.",
  },
  QuotaExceeded: { means: "The namespace's quota forbids more pods.", todo: "Raise the quota, or want less." },
  PodsRefused: {
    means: "The apiserver refuses the pods.",
    todo: "Read the message: often an admission policy or a missing ServiceAccount.",
  },
  ImagePullFailed: {
    means: "An image cannot be pulled.",
    todo: "Check its name and digest, `imagePullSecrets`, and the registry.",
  },
  ContainerConfigError: {
    means: "A container's configuration cannot be made.",
    todo: "Create the Secret or ConfigMap that the message names.",
  },
  CrashLoop: { means: "A container ends again and again.", todo: "Read the log of the container that the message names." },
  OutOfMemory: {
    means: "A container was killed for its memory.",
    todo: "Raise `podTemplate.resources.memory`, or lower slots and context.",
  },
  ClaimPending: {
    means: "A device claim cannot be allocated.",
    todo: "Check the DeviceClass, its driver, and what devices are free.",
  },
  VolumeMountFailed: {
    means: "A volume cannot be mounted.",
    todo: "Read the message; a Secret, a claim or an image volume is missing or refused.",
  },
  Evicted: { means: "Pods were evicted by their node.", todo: "Check disk and memory pressure of the node." },
  NodeLost: { means: "The node of a pod does not answer.", todo: "Repair or remove the node." },
  Starting: { means: "Pods start, within their deadline.", todo: "Wait." },
  Warming: { means: "Pods run their warm-up.", todo: "Wait." },
  ColdStartSlow: {
    means: "Pods have been starting for longer than `startup.deadline`.",
    todo: "Read the log of the engine; raise the deadline, or use a ModelCache.",
  },
  RollingOut: { means: "Pods become those of a new revision.", todo: "Wait." },
  HandingOff: {
    means: "No GPU is free: a worker's sessions are moved, then its GPU goes to the new revision, one at a time.",
    todo: "Wait.",
  },
  NoFreeGPU: {
    means: "The rollout needs a GPU that nobody has free.",
    todo: "Free or add one, or choose `rollout.strategy` Auto.",
  },
  LoadTooHigh: {
    means: "The load leaves no room for what was meant: a worker less, or guessing tokens.",
    todo: "Wait for calmer hours, or raise `maxReplicas`.",
  },
  CanaryHeld: { means: "The first workers of a new revision are watched.", todo: "Wait; the message says how long." },
  CanaryAborted: {
    means: "The first workers of a new revision did worse, so it is taken back.",
    todo: "Read the message; correct the spec, or go back to the one before.",
  },
  RolloutStalled: {
    means: "The new revision does not become ready; the old one goes on serving.",
    todo: "Mend what the message names, or go back to the spec before.",
  },
  Draining: { means: "Pods end.", todo: "Wait." },
  NotEnoughWorkers: { means: "Fewer workers serve than may never be missing.", todo: "Read the Ready message." },
  External: { means: "Another owner of `replicas` decides.", todo: "Nothing." },
  Fixed: { means: "`replicas` is written by hand.", todo: "Nothing." },
  Minimum: { means: "The pool stands at its fewest workers.", todo: "Nothing." },
  Maximum: {
    means: "The load asks for more workers than `maxReplicas`.",
    todo: "Raise `maxReplicas`, or let routers degrade; `slipstream status` says what they leave out.",
  },
  Load: { means: "As many workers as the triggers of now need within the target.", todo: "Nothing." },
  Backlog: { means: "What waits asks for more workers than what comes.", todo: "Nothing, unless it lasts." },
  Forecast: { means: "The load that is expected when a worker that starts now would serve.", todo: "Nothing." },
  Schedule: { means: "A schedule of the spec holds.", todo: "Nothing." },
  Holding: {
    means: "Fewer workers would do now; it is not sure yet that they will for long enough.",
    todo: "Nothing; `scaling.scaleDown` says how long.",
  },
  CapacityStalled: {
    means: "Workers do not come up within their deadline, so they are not counted on and no more are asked for.",
    todo: "Read the message: no GPU is free, or pods fail. It is tried again by itself, later each time.",
  },
  MetricsStale: {
    means: "No router reports figures of the pool.",
    todo: "Check the bus (`slipstream doctor`), and that a CompletionService names the pool.",
  },
  NoBus: {
    means: "The operator knows no NATS servers, so figures are not known.",
    todo: "Set SLIPSTREAM_NATS_SERVERS of the operator.",
  },
  SLOMissed: {
    means: "First useful text takes longer than the target.",
    todo: "Raise `maxReplicas`, or look at `slipstream status` of a router.",
  },
  AcceptanceLow: {
    means: "Fewer guessed tokens are accepted than `minAcceptance`.",
    todo: "Use a draft that fits the model, or another method.",
  },
  LengthsRecommended: {
    means: "With other lengths of drafts by batch the pool would decode faster; `status.speculative` has them.",
    todo: "Write them as `speculative.byBatch`, with the longest as `numTokens`, or set `speculative.schedule: Auto`.",
  },
  LengthsTaken: {
    means: "The engines are told other lengths of drafts by batch, by a new revision.",
    todo: "Nothing; `speculative.schedule: Recommended` leaves it to you.",
  },
  LengthsTakenBack: {
    means:
      "A revision with other lengths of drafts did not hold what its canary was watched for; the lengths before are told again.",
    todo: "Nothing; others are tried after a day, and after twice as long each time in a row, up to 14 days.",
  },
  GPUsScarce: {
    means: "The GPUs of the class are fewer than all pools of it ask for; they are shared by tier.",
    todo: "Add GPUs and raise `total` of the GPUClass, or ask for less in pools of a lower tier.",
  },
  ReplicasConflict: {
    means: "`spec.replicas` has another writer than the pool's mode allows for.",
    todo: "Leave one: choose `scaling.mode` External for an HPA or KEDA, or remove the writer that the message names.",
  },
  SecretMissing: { means: "A Secret or ConfigMap that the spec names is not there.", todo: "Create it." },
  PolicyInvalid: {
    means: "The policy document would be refused by routers.",
    todo: "Correct the fields that the message names; the last good one stays.",
  },
  RoutersStarting: { means: "Routers start.", todo: "Wait." },
  RoutersUnavailable: { means: "No router serves.", todo: "Read the message." },
  PoolsNotReady: { means: "A pool behind a tier is not ready.", todo: "Look at the pool that the message names." },
  Conflict: {
    means: "Another field manager owns a field that the operator needs.",
    todo: "Take the field out of the other's manifest.",
  },
  ApplyFailed: { means: "The apiserver refused an object.", todo: "Read the message." },
} as const satisfies Record<string, Reason>;

export type ReasonWord = keyof typeof reasonTable;
