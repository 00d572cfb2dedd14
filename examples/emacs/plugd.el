;;; plugd.el --- Browse and install agent plugins -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1"))
;; Keywords: tools

;;; Commentary:

;; `M-x plugd' lists the plugins of all marketplaces.  RET reads one, `i'
;; installs or updates it, `d' uninstalls it, `g' lists again.
;;
;; Messages travel through jsonrpc.el: one daemon for the whole Emacs,
;; started when it is first needed.  Nothing here waits for it.

;;; Code:

(require 'jsonrpc)
(require 'seq)
(require 'tabulated-list)

(defgroup plugd nil
  "Agent plugins."
  :group 'tools)

(defcustom plugd-command '("plugd" "app-server")
  "The daemon and its arguments."
  :type '(repeat string))

(defvar plugd--connection nil
  "The running daemon, or nil.")

(defvar plugd--installing (make-hash-table :test #'equal)
  "The plugins that are being installed, by the token of the request.")

(defvar plugd--tokens 0
  "How many tokens were given away.")

(defun plugd--on-notification (_connection method params)
  "Take what the daemon tells unasked: METHOD with PARAMS."
  (pcase method
    ('$/progress
     (when-let ((id (gethash (plist-get params :token) plugd--installing)))
       (plugd--report id (plist-get params :value))))
    ('configWarning
     (display-warning 'plugd (plist-get params :summary)))
    ('plugd/changed
     (when-let ((buffer (get-buffer "*plugins*")))
       (with-current-buffer buffer
         (when (derived-mode-p 'plugd-mode)
           (plugd-refresh)))))))

(defun plugd--report (id value)
  "Show VALUE of a `$/progress' about the plugin ID."
  (when (equal (plist-get value :kind) "report")
    (let ((percentage (plist-get value :percentage)))
      (message "Installing %s: %s%s" id (plist-get value :stage)
               (if (numberp percentage) (format " %d%%" percentage) "")))))

(defun plugd--spawn ()
  "Start the daemon and shake hands with it."
  (unless (executable-find (car plugd-command))
    (user-error "There is no program `%s'; see `plugd-command'" (car plugd-command)))
  (let ((connection
         (make-instance
          'jsonrpc-process-connection
          :name "plugd"
          :events-buffer-scrollback-size 0
          :notification-dispatcher #'plugd--on-notification
          :process (lambda ()
                     (make-process :name "plugd" :command plugd-command
                                   :connection-type 'pipe :coding 'utf-8-emacs-unix
                                   :noquery t
                                   :stderr (get-buffer-create " *plugd stderr*")))
          :on-shutdown (lambda (_) (setq plugd--connection nil)))))
    (jsonrpc-request connection :initialize
                     `(:clientInfo (:name "emacs" :version ,emacs-version)
                       :capabilities (:plugd (:notifications t))))
    (jsonrpc-notify connection :initialized nil)
    connection))

(defun plugd-request (method params done)
  "Send METHOD with PARAMS and call DONE with the result; show errors."
  (unless (and plugd--connection (jsonrpc-running-p plugd--connection))
    (setq plugd--connection (plugd--spawn)))
  (jsonrpc-async-request
   plugd--connection method params
   :timeout nil
   :success-fn done
   :error-fn (lambda (err)
               (let ((hint (plist-get (plist-get err :data) :hint)))
                 (message "plugd: %s%s" (plist-get err :message)
                          (if hint (format " (%s)" hint) ""))))))

(defun plugd--true (value)
  "Whether VALUE is the true of JSON."
  (eq value t))

(defun plugd--reference (marketplace plugin)
  "The params that name PLUGIN of MARKETPLACE."
  (if-let ((path (plist-get marketplace :path)))
      `(:marketplacePath ,path :pluginName ,(plist-get plugin :name))
    `(:remoteMarketplaceName ,(plist-get marketplace :name)
      :pluginName ,(plist-get plugin :remotePluginId))))

(defun plugd--entry (marketplace plugin)
  "The row of PLUGIN, which MARKETPLACE offers."
  (list (list :id (plist-get plugin :id)
              :reference (plugd--reference marketplace plugin))
        (vector (plist-get plugin :name)
                (plist-get marketplace :name)
                (or (plist-get plugin :localVersion) (plist-get plugin :version) "")
                (cond ((not (plugd--true (plist-get plugin :installed))) "")
                      ((plugd--true (plist-get plugin :updateAvailable)) "update")
                      (t (or (plist-get plugin :installedVersion) "installed"))))))

(defun plugd--problem (problem)
  "The row of PROBLEM, because of which a marketplace lacks something."
  (let ((file (or (plist-get problem :path) (plist-get problem :marketplacePath)))
        (line (plist-get problem :line)))
    ;; The last column has as much room as it needs.
    (list nil (vector "(problem)" "" ""
                      (format "%s%s: %s" file (if line (format ":%d" line) "")
                              (plist-get problem :message))))))

(defun plugd--entries (listing)
  "The rows of LISTING, the result of plugin/list; problems come last."
  (append
   (seq-mapcat (lambda (marketplace)
                 (mapcar (lambda (plugin) (plugd--entry marketplace plugin))
                         (plist-get marketplace :plugins)))
               (plist-get listing :marketplaces))
   (mapcar #'plugd--problem (plist-get listing :marketplaceLoadErrors))))

(defun plugd-refresh (&rest _)
  "List all plugins again."
  (interactive)
  (plugd-request
   :plugin/list `(:cwds [,(expand-file-name default-directory)])
   (lambda (listing)
     (when-let ((buffer (get-buffer "*plugins*")))
       (with-current-buffer buffer
         (setq tabulated-list-entries (plugd--entries listing))
         (tabulated-list-print t))))))

(defun plugd--row ()
  "What stands at point, or an error."
  (or (tabulated-list-get-id) (user-error "There is no plugin here")))

(defun plugd-read ()
  "Describe the plugin at point."
  (interactive)
  (let ((row (plugd--row)))
    (plugd-request :plugin/read (plist-get row :reference) #'plugd--show)))

(defun plugd--show (result)
  "Show RESULT of plugin/read in a buffer of its own."
  (let* ((plugin (plist-get result :plugin))
         (summary (plist-get plugin :summary)))
    (with-help-window "*plugin*"
      (princ (format "%s\n\n%s\n" (plist-get summary :id)
                     (or (plist-get plugin :description) "")))
      (seq-doseq (skill (plist-get plugin :skills))
        (princ (format "\nSkill %s: %s" (plist-get skill :name)
                       (plist-get skill :description))))
      (seq-doseq (hook (plist-get plugin :hooks))
        (princ (format "\nHook %s" (plist-get hook :eventName))))
      (seq-doseq (server (plist-get plugin :mcpServers))
        (princ (format "\nMCP server %s" server)))
      (seq-doseq (problem (plist-get summary :problems))
        (princ (format "\nProblem: %s" (plist-get problem :message)))))))

(defun plugd-install ()
  "Install or update the plugin at point, and show how far it is."
  (interactive)
  (let* ((row (plugd--row))
         (id (plist-get row :id))
         (token (format "emacs-%d" (setq plugd--tokens (1+ plugd--tokens)))))
    (puthash token id plugd--installing)
    (plugd-request
     :plugin/install `(,@(plist-get row :reference) :workDoneToken ,token)
     (lambda (_result)
       (remhash token plugd--installing)
       (message "Installed %s" id)
       (plugd-refresh)))))

(defun plugd-uninstall ()
  "Uninstall the plugin at point after a question."
  (interactive)
  (let ((id (plist-get (plugd--row) :id)))
    (when (y-or-n-p (format "Uninstall %s? " id))
      (plugd-request :plugin/uninstall `(:pluginId ,id)
                     (lambda (_result)
                       (message "Uninstalled %s" id)
                       (plugd-refresh))))))

(defvar plugd-mode-map
  (let ((map (make-sparse-keymap)))
    (set-keymap-parent map tabulated-list-mode-map)
    (define-key map (kbd "RET") #'plugd-read)
    (define-key map "i" #'plugd-install)
    (define-key map "d" #'plugd-uninstall)
    (define-key map "g" #'plugd-refresh)
    map))

(define-derived-mode plugd-mode tabulated-list-mode "Plugins"
  "A list of agent plugins."
  (setq tabulated-list-format
        [("Plugin" 28 t) ("Marketplace" 20 t) ("Version" 10 nil) ("Installed" 10 t)])
  (tabulated-list-init-header))

;;;###autoload
(defun plugd ()
  "Browse, read, install and uninstall agent plugins."
  (interactive)
  ;; The project may have marketplaces of its own, and it is the one of the caller each time.
  (let ((directory default-directory))
    (pop-to-buffer (get-buffer-create "*plugins*"))
    (unless (derived-mode-p 'plugd-mode)
      (plugd-mode))
    (setq default-directory directory))
  (plugd-refresh))

(provide 'plugd)
;;; plugd.el ends here
