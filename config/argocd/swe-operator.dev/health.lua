-- Health of a TrainingRun, PreferenceGen or SWEBenchEval for Argo CD: how far it is from being complete, and whether it needs you.
local hs = { status = "Progressing", message = "The operator has not seen it yet." }

local status = obj.status
if status == nil or status.conditions == nil then
  return hs
end

if status.observedGeneration ~= obj.metadata.generation then
  hs.message = "The operator has not seen the last change yet."
  return hs
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end

local function holds(type)
  return conditions[type] ~= nil and conditions[type].status == "True"
end

local ready = conditions["Ready"]
if ready ~= nil then
  hs.message = ready.message
end

-- Stalled means: it will not succeed without you. What has failed is stalled as well.
for _, type in ipairs({ "Stalled", "Failed" }) do
  if holds(type) then
    hs.status = "Degraded"
    hs.message = conditions[type].message
    return hs
  end
end

if ready ~= nil and ready.reason == "Suspended" then
  hs.status = "Suspended"
elseif holds("Ready") or holds("Complete") then
  hs.status = "Healthy"
end
return hs
